//! Writes JSON.
//!
//! Keys and values are bytes, JSON knows text only. Bytes that are valid UTF-8 become a string; any others become an
//! object with one member, `{"base64": "..."}` (RFC 4648, with padding). So every value comes back as it was, and
//! nothing that is text is disguised. Infinite scores are the strings `"inf"` and `"-inf"`: JSON has no such numbers.

use super::sink::Sink;
use std::fmt::Display;

/// A writer of one document after the other. Members and elements are parted by themselves.
pub struct Json<'s, 'a> {
    sink: &'s mut Sink<'a>,
    /// Something stands before, in the same object or array.
    has_sibling: bool,
}

impl<'s, 'a> Json<'s, 'a> {
    pub fn new(sink: &'s mut Sink<'a>) -> Self {
        Json { sink, has_sibling: false }
    }

    /// `{...}` with what `fill` writes in it.
    pub fn object(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.nested([b"{", b"}"], fill)
    }

    /// `[...]` with what `fill` writes in it.
    pub fn array(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.nested([b"[", b"]"], fill)
    }

    /// The name of the member that is written next.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.text(name);
        self.sink.put(b":");
        self.has_sibling = false;
        self
    }

    pub fn number(&mut self, number: impl Display) -> &mut Self {
        self.part();
        self.sink.put(number.to_string().as_bytes());
        self
    }

    pub fn score(&mut self, score: f64) -> &mut Self {
        if score.is_infinite() {
            return self.text(if score > 0.0 { "inf" } else { "-inf" });
        }
        self.part();
        // The shortest text that reads as the same number, with an exponent where that is long.
        self.sink.put(format!("{score:?}").as_bytes());
        self
    }

    pub fn truth(&mut self, truth: bool) -> &mut Self {
        self.part();
        self.sink.put(if truth { b"true" } else { b"false" });
        self
    }

    pub fn null(&mut self) -> &mut Self {
        self.part();
        self.sink.put(b"null");
        self
    }

    pub fn optional(&mut self, number: Option<impl Display>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.null(),
        }
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.part();
        put_quoted(self.sink, text.as_bytes());
        self
    }

    /// Bytes of any kind.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(text),
            Err(_) => self.object(|object| {
                object.name("base64").part();
                object.sink.put(b"\"");
                put_base64(object.sink, bytes);
                object.sink.put(b"\"");
            }),
        }
    }

    /// The line end behind a document.
    pub fn end_line(&mut self) {
        self.sink.put(b"\n");
        self.has_sibling = false;
    }

    fn nested(&mut self, brackets: [&[u8]; 2], fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.part();
        self.sink.put(brackets[0]);
        self.has_sibling = false;
        fill(self);
        self.sink.put(brackets[1]);
        self.has_sibling = true;
        self
    }

    fn part(&mut self) {
        if self.has_sibling {
            self.sink.put(b",");
        }
        self.has_sibling = true;
    }
}

/// A string of JSON; `text` is valid UTF-8.
fn put_quoted(sink: &mut Sink<'_>, text: &[u8]) {
    sink.put(b"\"");
    let mut from = 0;
    for (at, byte) in text.iter().enumerate() {
        if !matches!(byte, 0..0x20 | b'"' | b'\\' | 0x7f) {
            continue;
        }
        sink.put(&text[from..at]);
        match byte {
            b'"' => sink.put(b"\\\""),
            b'\\' => sink.put(b"\\\\"),
            b'\n' => sink.put(b"\\n"),
            b'\r' => sink.put(b"\\r"),
            b'\t' => sink.put(b"\\t"),
            control => sink.put(format!("\\u{control:04x}").as_bytes()),
        }
        from = at + 1;
    }
    sink.put(&text[from..]);
    sink.put(b"\"");
}

fn put_base64(sink: &mut Sink<'_>, bytes: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let mut four = [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize]);
        four[group.len() + 1..].fill(b'=');
        sink.put(&four);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json<'_, '_>)) -> String {
        let mut out = Vec::new();
        let mut sink = Sink::new(&mut out);
        write(&mut Json::new(&mut sink));
        sink.flush().unwrap();
        drop(sink);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn documents() {
        let document = written(|json| {
            json.object(|object| {
                object.name("a").number(1).name("b").array(|array| {
                    array.text("x\"\\\n\u{1}\u{7f}ü").null().truth(true).object(|_| {});
                });
                object.name("c").optional(None::<i64>);
            });
            json.end_line();
            json.array(|_| {});
        });
        let expected = "{\"a\":1,\"b\":[\"x\\\"\\\\\\n\\u0001\\u007fü\",null,true,{}],\"c\":null}\n[]";
        assert_eq!(document, expected);
    }

    #[test]
    fn bytes_and_scores() {
        let base64 = |bytes: &[u8]| {
            written(|json| {
                json.bytes(bytes);
            })
        };
        assert_eq!(base64(b"\xff"), "{\"base64\":\"/w==\"}");
        assert_eq!(base64(b"\xff\xfe"), "{\"base64\":\"//4=\"}");
        assert_eq!(base64(b"\xff\0\x10"), "{\"base64\":\"/wAQ\"}");
        assert_eq!(base64("ü".as_bytes()), "\"ü\"");
        let scores = written(|json| {
            json.array(|array| {
                array.score(1.5).score(f64::NEG_INFINITY).score(1e300).score(0.1).score(3.0);
            });
        });
        assert_eq!(scores, "[1.5,\"-inf\",1e300,0.1,3.0]");
    }
}

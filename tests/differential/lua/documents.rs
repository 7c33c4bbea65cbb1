//! What cjson, cmsgpack and struct read and write: documents, good ones and spoilt ones.

use super::expressions::Writer;

impl Writer {
    /// A script about cjson.
    pub fn json(&mut self) -> (String, Vec<Vec<u8>>) {
        let text = self.json_document(4);
        let text = if self.chance(3) { self.spoilt(text) } else { text };
        let script = match self.rng.u32(..12) {
            0 | 1 => format!("return cjson.encode({})", self.table(4)),
            2 => format!("return run(cjson.encode, {})", self.any(3)),
            3 => format!("return show(cjson.decode(cjson.encode({})))", self.wide_table(3)),
            4 => {
                let setting = self.one_of(&[
                    "encode_number_precision(5)",
                    "encode_number_precision(17)",
                    "encode_number_precision(0)",
                    "encode_sparse_array(true)",
                    "encode_sparse_array(false, 2, 3)",
                    "encode_sparse_array(true, 2, 1)",
                    "encode_max_depth(2)",
                    "decode_max_depth(2)",
                    "encode_invalid_numbers(true)",
                    "encode_invalid_numbers('null')",
                    "decode_invalid_numbers(false)",
                    "encode_keep_buffer(false)",
                    "encode_max_depth('x')",
                    "encode_invalid_numbers('x')",
                    "encode_sparse_array(1)",
                ]);
                format!(
                    "local own = cjson.new()\nreturn run(function() local a, b, c = own.{setting}\n\
                     return a, b, c, own.encode({}), own.decode('[[[1, 2], NaN]]') end)",
                    self.table(3)
                )
            }
            5 => "return cjson.encode(cjson.decode(ARGV[1]))".to_owned(),
            6 => "return cjson.decode(ARGV[1])".to_owned(),
            7 => "local ok, e = pcall(cjson.decode, ARGV[1]) return {tostring(ok), tostring(e)}".to_owned(),
            8 => {
                let depth = self.rng.usize(990..1010);
                format!(
                    "local t = {} for i = 1, {depth} do t = {{t}} end return #cjson.encode(t)",
                    self.scalar()
                )
            }
            9 => {
                let depth = self.rng.usize(995..1005);
                format!("return type(cjson.decode(('['):rep({depth}) .. (']'):rep({depth})))")
            }
            _ => "return show(cjson.decode(ARGV[1]))".to_owned(),
        };
        (script, vec![text])
    }

    /// A document; objects have one member each where the order would show, as they do when written back.
    fn json_document(&mut self, depth: u32) -> Vec<u8> {
        let blank = self.one_of(&["", "", "", " ", "\n\t", "\r"]);
        let mut text = blank.as_bytes().to_vec();
        match self.rng.u32(..if depth == 0 { 6 } else { 9 }) {
            0 | 1 => text.extend_from_slice(
                self.one_of(&[
                    "0",
                    "-0",
                    "1",
                    "-1",
                    "1.5",
                    "1e5",
                    "1E-5",
                    "1e+400",
                    "0.1",
                    "123456789012345678901234567890",
                    "2147483648",
                    "1e-400",
                    "9007199254740993",
                    "3.0",
                    "01",
                    "+1",
                    ".5",
                    "5.",
                    "0x10",
                    "1e",
                    "-",
                    "NaN",
                    "Infinity",
                    "-Infinity",
                    "nan",
                    "inf",
                    "1_000",
                    "0e0",
                ])
                .as_bytes(),
            ),
            2 | 3 => text.extend(self.json_string()),
            4 => text.extend_from_slice(self.one_of(&["true", "false", "null"]).as_bytes()),
            5 => text.extend_from_slice(self.one_of(&["[]", "{}", "\"\"", "tru", "nul", "True"]).as_bytes()),
            6 => {
                text.push(b'{');
                text.extend(self.json_string());
                text.push(b':');
                text.extend(self.json_document(depth - 1));
                text.push(b'}');
            }
            _ => {
                let count = self.rng.usize(..5);
                let elements: Vec<_> = (0..count).map(|_| self.json_document(depth - 1)).collect();
                text.push(b'[');
                text.extend(elements.join(&b','));
                text.push(b']');
            }
        }
        text
    }

    fn json_string(&mut self) -> Vec<u8> {
        let mut text = vec![b'"'];
        for _ in 0..self.rng.usize(..6) {
            match self.rng.u32(..9) {
                0 => text.push(self.rng.u8(..).max(1)),
                1 => text.extend_from_slice(
                    self.one_of(&[
                        "\\n",
                        "\\t",
                        "\\\"",
                        "\\\\",
                        "\\/",
                        "\\b",
                        "\\f",
                        "\\r",
                        "\\x",
                        "\\u00e9",
                        "\\u0000",
                        "\\u20AC",
                        "\\uD83D\\uDE00",
                        "\\uD83D",
                        "\\uDE00",
                        "\\u12",
                        "\\uzzzz",
                        "\\uD83D\\u0041",
                        "\\'",
                    ])
                    .as_bytes(),
                ),
                2 => text.extend_from_slice("é€😀".as_bytes()),
                _ => text.push(self.rng.alphanumeric() as u8),
            }
        }
        text.push(b'"');
        text
    }

    /// A byte changed, added, removed; or the end missing.
    fn spoilt(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let at = self.rng.usize(..bytes.len());
        let byte = match self.rng.u32(..3) {
            0 => self.rng.u8(..),
            _ => self.one_of(&["{", "}", "[", "]", ",", ":", "\"", "0", " ", "\0", "\\"]).as_bytes()[0],
        };
        match self.rng.u32(..4) {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        bytes
    }

    /// A script about cmsgpack.
    pub fn msgpack(&mut self) -> (String, Vec<Vec<u8>>) {
        let mut bytes = self.msgpack_value(3);
        for _ in 0..self.rng.usize(..3) {
            bytes.extend(self.msgpack_value(2));
        }
        let bytes = if self.chance(3) { self.spoilt(bytes) } else { bytes };
        let script = match self.rng.u32(..9) {
            0 | 1 => format!("return cmsgpack.pack({})", self.table(3)),
            2 => format!("return run(cmsgpack.pack, {}, {}, {})", self.any(2), self.any(2), self.any(1)),
            3 => format!("return show(cmsgpack.unpack(cmsgpack.pack({})))", self.wide_table(3)),
            4 => format!("return run(cmsgpack.unpack_one, ARGV[1], {})", self.small()),
            5 => format!("return run(cmsgpack.unpack_limit, ARGV[1], {}, {})", self.small(), self.small()),
            6 => {
                let depth = self.rng.usize(1..25);
                format!(
                    "local t = {} for i = 1, {depth} do t = {{t}} end return cmsgpack.pack(t)",
                    self.scalar()
                )
            }
            7 => "return cmsgpack.unpack(ARGV[1])".to_owned(),
            _ => "return run(cmsgpack.unpack, ARGV[1])".to_owned(),
        };
        (script, vec![bytes])
    }

    fn msgpack_value(&mut self, depth: u32) -> Vec<u8> {
        let small = self.rng.u8(..8);
        let mut random = |count: usize| (0..count).map(|_| self.rng.u8(..)).collect::<Vec<u8>>();
        let prefixed = |first: u8, rest: Vec<u8>| [vec![first], rest].concat();
        let kind = if depth == 0 { small } else { small * 2 };
        match kind {
            0 => prefixed(0xcc, random(1)),
            1 => prefixed(0xcd, random(2)),
            2 => prefixed(0xce, random(4)),
            3 => prefixed(0xd0, random(1)),
            4 => prefixed(0xd1, random(2)),
            5 => prefixed(0xd3, [vec![0xff; 4], random(4)].concat()),
            6 => prefixed(0xa3, b"str".to_vec()),
            7 => prefixed(0xcf, [vec![0; 4], random(4)].concat()),
            8 => {
                vec![[0xc0, 0xc1, 0xc2, 0xc3, 0x00, 0x7f, 0xe0, 0xff, 0xc4, 0xd4][random(1)[0] as usize % 10]]
            }
            10 => {
                // A number as large as that of a value, never none, infinite or denormal: its sign and digits decide.
                let exponent = 1000 + u16::from(random(1)[0] % 40);
                prefixed(0xcb, [exponent.rotate_left(4).to_be_bytes().to_vec(), random(6)].concat())
            }
            12 => {
                let count = random(1)[0] % 4;
                let elements = (0..count).flat_map(|_| self.msgpack_value(depth - 1)).collect();
                prefixed(0x90 + count, elements)
            }
            14 => {
                let value = self.msgpack_value(depth - 1);
                prefixed(0x81, [vec![0xa1, b'k'], value].concat())
            }
            _ => {
                let string = random(5);
                prefixed(0xd9, [vec![5], string].concat())
            }
        }
    }

    /// A script about struct.
    pub fn structure(&mut self) -> (String, Vec<Vec<u8>>) {
        let mut format = String::new();
        let mut values = Vec::new();
        for _ in 0..self.rng.usize(..6) {
            let option = match self.rng.u32(..6) {
                0 => self.one_of(&["<", ">", "=", "!", "!4", "!8", " ", "x", "!3", "!16", "z"]).to_owned(),
                1 => {
                    let size = self.one_of(&["", "1", "2", "3", "4", "7", "8", "16", "32", "33", "0"]);
                    format!("{}{size}", self.one_of(&["i", "I"]))
                }
                2 => format!("c{}", self.one_of(&["0", "1", "3", "5", "", "300"])),
                _ => self.one_of(&["b", "B", "h", "H", "l", "L", "T", "f", "d", "s", "i", "I"]).to_owned(),
            };
            if !matches!(option.as_bytes()[0], b'<' | b'>' | b'=' | b'!' | b' ' | b'x') {
                values.push(match option.as_bytes()[0] {
                    b's' | b'c' => self.string(),
                    b'f' | b'd' => self.number(),
                    // What does not fit into 64 bits is the compiler's choice.
                    _ => self.rng.i64(-(1 << 40)..1 << 40).to_string(),
                });
            }
            format.push_str(&option);
        }
        if self.chance(10) && !values.is_empty() {
            let at = self.rng.usize(..values.len());
            values[at] = self.one_of(&["nil", "{}", "'text'", "true"]).to_owned();
        }
        let length = self.rng.usize(..40);
        let bytes: Vec<u8> = (0..length).map(|_| if self.chance(4) { 0 } else { self.rng.u8(..) }).collect();
        let values: String = values.iter().map(|value| format!(", {value}")).collect();
        let script = match self.rng.u32(..5) {
            0 => format!("return struct.pack('{format}'{values})"),
            1 => format!("return run(struct.size, '{format}')"),
            2 => format!(
                "return run(function() return struct.unpack('{format}', struct.pack('{format}'{values})) end)"
            ),
            3 => format!("return run(struct.unpack, '{format}', ARGV[1], {})", self.small()),
            _ => format!("return run(struct.unpack, '{format}', ARGV[1])"),
        };
        (script, vec![bytes])
    }
}

//! The packed forms of old servers and of new ones, made byte by byte from the format's facts, without help from the
//! product.

/// One element: what is the text of an integer is packed as one.
fn integer(text: &[u8]) -> Option<i64> {
    let value: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.to_string().as_bytes() == text).then_some(value)
}

/// bytes(4) tail(4) count(2) { previous encoding content }* FF
pub fn ziplist(texts: &[Vec<u8>]) -> Vec<u8> {
    let (mut entries, mut previous, mut last) = (Vec::new(), 0_usize, 0);
    for text in texts {
        last = entries.len();
        if previous < 254 {
            entries.push(previous as u8);
        } else {
            entries.push(254);
            entries.extend((previous as u32).to_le_bytes());
        }
        put_ziplist_element(&mut entries, text);
        previous = entries.len() - last;
    }
    let mut out = ((entries.len() + 11) as u32).to_le_bytes().to_vec();
    out.extend((10 + last as u32).to_le_bytes());
    out.extend((texts.len().min(65535) as u16).to_le_bytes());
    out.extend(entries);
    out.push(255);
    out
}

fn put_ziplist_element(out: &mut Vec<u8>, text: &[u8]) {
    match integer(text) {
        Some(value @ 0..=12) => out.push(0xf1 + value as u8),
        Some(value) => {
            let (code, width) = match value {
                -0x80..=0x7f => (0xfe, 1),
                -0x8000..=0x7fff => (0xc0, 2),
                -0x80_0000..=0x7f_ffff => (0xf0, 3),
                -0x8000_0000..=0x7fff_ffff => (0xd0, 4),
                _ => (0xe0, 8),
            };
            out.push(code);
            out.extend(&value.to_le_bytes()[..width]);
        }
        None => {
            match text.len() {
                len @ 0..64 => out.push(len as u8),
                len @ 64..16384 => out.extend((0x4000 | len as u16).to_be_bytes()),
                len => {
                    out.push(0x80);
                    out.extend((len as u32).to_be_bytes());
                }
            }
            out.extend(text);
        }
    }
}

/// count(1) { length field length free value free-bytes }* FF
pub fn zipmap(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![(texts.len() / 2).min(254) as u8];
    let put_length = |out: &mut Vec<u8>, len: usize| match len {
        0..254 => out.push(len as u8),
        _ => {
            out.push(254);
            out.extend((len as u32).to_le_bytes());
        }
    };
    for (at, text) in texts.iter().enumerate() {
        put_length(&mut out, text.len());
        let free = if at % 2 == 1 { at % 5 } else { 0 };
        if at % 2 == 1 {
            out.push(free as u8);
        }
        out.extend(text);
        out.extend(vec![0x55; free]);
    }
    out.push(255);
    out
}

/// width(4) count(4) integers, ascending
pub fn intset(values: &[i64]) -> Vec<u8> {
    let mut values = values.to_vec();
    values.sort_unstable();
    let fits = |bits: u32| values.iter().all(|value| (-(1 << (bits - 1))..1 << (bits - 1)).contains(value));
    let width = if fits(16) {
        2
    } else if fits(32) {
        4
    } else {
        8
    };
    let mut out = (width as u32).to_le_bytes().to_vec();
    out.extend((values.len() as u32).to_le_bytes());
    values.iter().for_each(|value| out.extend(&value.to_le_bytes()[..width]));
    out
}

/// bytes(4) count(2) { encoding content length-of-both }* FF
pub fn listpack(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut entries = Vec::new();
    for text in texts {
        let entry = listpack_entry(text);
        let mut backlen = Vec::new();
        let mut left = entry.len();
        while left > 127 {
            backlen.push((left & 127) as u8 | 128);
            left >>= 7;
        }
        backlen.push(left as u8);
        backlen.reverse();
        // The high bit marks all but the leftmost.
        backlen.iter_mut().enumerate().for_each(|(at, byte)| {
            *byte = *byte & 127 | if at > 0 { 128 } else { 0 };
        });
        entries.extend(entry);
        entries.extend(backlen);
    }
    let mut out = ((entries.len() + 7) as u32).to_le_bytes().to_vec();
    out.extend((texts.len().min(65535) as u16).to_le_bytes());
    out.extend(entries);
    out.push(255);
    out
}

fn listpack_entry(text: &[u8]) -> Vec<u8> {
    let coded = |code: u8, bytes: &[u8]| [&[code], bytes].concat();
    match integer(text) {
        Some(value @ 0..=127) => vec![value as u8],
        Some(value @ -4096..=4095) => (0xc000 | (value as u16 & 0x1fff)).to_be_bytes().to_vec(),
        Some(value @ -0x8000..=0x7fff) => coded(0xf1, &value.to_le_bytes()[..2]),
        Some(value @ -0x80_0000..=0x7f_ffff) => coded(0xf2, &value.to_le_bytes()[..3]),
        Some(value @ -0x8000_0000..=0x7fff_ffff) => coded(0xf3, &value.to_le_bytes()[..4]),
        Some(value) => coded(0xf4, &value.to_le_bytes()),
        None => match text.len() {
            len @ 0..64 => coded(0x80 | len as u8, text),
            len @ 64..4096 => [&(0xe000 | len as u16).to_be_bytes(), text].concat(),
            len => [&[0xf0], &(len as u32).to_le_bytes()[..], text].concat(),
        },
    }
}

pub fn length(value: u64) -> Vec<u8> {
    match value {
        0..64 => vec![value as u8],
        64..16384 => (0x4000 | value as u16).to_be_bytes().to_vec(),
        16384..0x1_0000_0000 => [&[0x80], &(value as u32).to_be_bytes()[..]].concat(),
        _ => [&[0x81], &value.to_be_bytes()[..]].concat(),
    }
}

/// A string in the encoding that a server would choose: integer, compressed, or as it is.
pub fn string(content: &[u8]) -> Vec<u8> {
    match integer(content) {
        Some(value @ -0x80..=0x7f) => vec![0xc0, value as u8],
        Some(value @ -0x8000..=0x7fff) => [&[0xc1], &value.to_le_bytes()[..2]].concat(),
        Some(value @ -0x8000_0000..=0x7fff_ffff) => [&[0xc2], &value.to_le_bytes()[..4]].concat(),
        _ if content.len() > 20 => {
            let stream = lzf(content);
            [&[0xc3], &length(stream.len() as u64)[..], &length(content.len() as u64), &stream].concat()
        }
        _ => [&length(content.len() as u64)[..], content].concat(),
    }
}

/// Runs of one byte as references, all else as literals: not a good compressor, but a right one.
fn lzf(content: &[u8]) -> Vec<u8> {
    let (mut out, mut literals, mut at) = (Vec::new(), Vec::new(), 0);
    let flush = |out: &mut Vec<u8>, literals: &mut Vec<u8>| {
        for piece in literals.chunks(32) {
            out.push(piece.len() as u8 - 1);
            out.extend(piece);
        }
        literals.clear();
    };
    while at < content.len() {
        literals.push(content[at]);
        let run = content[at + 1..].iter().take(200).take_while(|byte| **byte == content[at]).count();
        at += 1;
        if run >= 9 {
            flush(&mut out, &mut literals);
            out.extend([0xe0, (run - 9) as u8, 0]);
            at += run;
        }
    }
    flush(&mut out, &mut literals);
    out
}

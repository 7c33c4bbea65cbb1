//! Classes of characters: `.`, `%a`, `[%w_-]`. Bytes beyond ASCII belong to no class but complements.

const ALPHA: u16 = 1;
const CONTROL: u16 = 1 << 1;
const DIGIT: u16 = 1 << 2;
const LOWER: u16 = 1 << 3;
const PUNCTUATION: u16 = 1 << 4;
const SPACE: u16 = 1 << 5;
const UPPER: u16 = 1 << 6;
const HEXADECIMAL: u16 = 1 << 7;
const ZERO: u16 = 1 << 8;

/// The classes that each byte belongs to.
const CLASSES: [u16; 256] = {
    let mut classes = [0; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        let of = [
            (byte.is_ascii_alphabetic(), ALPHA),
            (byte.is_ascii_control(), CONTROL),
            (byte.is_ascii_digit(), DIGIT),
            (byte.is_ascii_lowercase(), LOWER),
            (byte.is_ascii_punctuation(), PUNCTUATION),
            (byte == b' ' || (byte >= 9 && byte <= 13), SPACE),
            (byte.is_ascii_uppercase(), UPPER),
            (byte.is_ascii_hexdigit(), HEXADECIMAL),
            (byte == 0, ZERO),
        ];
        let mut class = 0;
        while class < of.len() {
            if of[class].0 {
                classes[index] |= of[class].1;
            }
            class += 1;
        }
        index += 1;
    }
    classes
};

/// The classes that the letter behind `%` stands for, as a small letter; 0 for one that stands for itself.
const fn classes_of(letter: u8) -> u16 {
    match letter {
        b'a' => ALPHA,
        b'c' => CONTROL,
        b'd' => DIGIT,
        b'l' => LOWER,
        b'p' => PUNCTUATION,
        b's' => SPACE,
        b'u' => UPPER,
        b'w' => ALPHA | DIGIT,
        b'x' => HEXADECIMAL,
        b'z' => ZERO,
        _ => 0,
    }
}

const LETTERS: [u16; 256] = {
    let mut letters = [0; 256];
    let mut index = 0;
    while index < 256 {
        letters[index] = classes_of((index as u8).to_ascii_lowercase());
        index += 1;
    }
    letters
};

/// Whether a byte is what `%letter` stands for.
#[inline]
pub fn is_of_letter(byte: u8, letter: u8) -> bool {
    match LETTERS[usize::from(letter)] {
        0 => letter == byte,
        classes => (CLASSES[usize::from(byte)] & classes != 0) == letter.is_ascii_lowercase(),
    }
}

/// Whether a byte is in a set; `set` is what stands between the brackets.
#[inline]
pub fn is_in_set(byte: u8, set: &[u8]) -> bool {
    match set {
        [b'^', set @ ..] => !is_listed(byte, set),
        _ => is_listed(byte, set),
    }
}

fn is_listed(byte: u8, mut set: &[u8]) -> bool {
    loop {
        let (is_here, rest) = match set {
            [] => return false,
            [b'%', letter, rest @ ..] => (is_of_letter(byte, *letter), rest),
            [first, b'-', last, rest @ ..] => ((*first..=*last).contains(&byte), rest),
            [single, rest @ ..] => (*single == byte, rest),
        };
        if is_here {
            return true;
        }
        set = rest;
    }
}

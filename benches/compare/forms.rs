//! Requests of any command, written from a form.
//!
//! A form is a line of words. Within a word `{n}` is the request's number, `{r}` a random number below the form's
//! `space`, each as twelve digits with leading zeros, `{00-49}` a random number of that range with as many digits,
//! `{d}` nine random digits, the first not 0, and `{v}` ten random letters: every request of a form has the same
//! length, whatever server it is for.

use fastrand::Rng;

use crate::load::Source;

const NUMBER_DIGITS: usize = 12;
const DIGITS: usize = 9;
const LETTERS: usize = 10;

/// What is asked, and of how many things.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    pub line: &'static str,
    /// `{r}` is below this.
    pub space: u64,
}

/// So many requests of a form.
#[derive(Debug)]
pub struct Requests {
    form: Form,
    numbers: std::ops::Range<u64>,
    rng: Rng,
    batch: Vec<u8>,
}

impl Requests {
    pub fn new(form: Form, numbers: std::ops::Range<u64>, seed: u64) -> Requests {
        Requests { form, numbers, rng: Rng::with_seed(seed), batch: Vec::new() }
    }

    fn write(&mut self, number: u64) {
        let words = self.form.line.split(' ').count();
        self.batch.extend_from_slice(format!("*{words}\r\n").as_bytes());
        for word in self.form.line.split(' ') {
            let mut text = word.to_string();
            while let Some(at) = text.find('{') {
                let end = at + text[at..].find('}').expect("a form closes what it opens");
                let value = self.value(&text[at + 1..end], number);
                text.replace_range(at..=end, &value);
            }
            self.batch.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
        }
    }

    /// What stands for the name between braces.
    fn value(&mut self, name: &str, number: u64) -> String {
        if let Some((low, high)) = name.split_once('-') {
            let [first, last]: [u64; 2] =
                [low, high].map(|end| end.parse().expect("a form has a number there"));
            return format!("{:0digits$}", self.rng.u64(first..=last), digits = high.len());
        }
        match name {
            "n" => format!("{number:0NUMBER_DIGITS$}"),
            "r" => format!("{:0NUMBER_DIGITS$}", self.rng.u64(..self.form.space)),
            "d" => (0..DIGITS).map(|_| char::from(b'1' + self.rng.u8(..9))).collect(),
            _ => (0..LETTERS).map(|_| self.rng.lowercase()).collect(),
        }
    }
}

impl Source for Requests {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        self.batch.clear();
        let mut written = 0;
        while written < count {
            let Some(number) = self.numbers.next() else { break };
            self.write(number);
            written += 1;
        }
        (written, &self.batch)
    }
}

/// Requests written beforehand, so that writing them costs the generator nothing while it is measured against.
#[derive(Debug)]
pub struct Prepared {
    bytes: Vec<u8>,
    request_length: usize,
    at: usize,
}

impl Prepared {
    pub fn new(form: Form, count: u64, seed: u64) -> Prepared {
        let mut requests = Requests::new(form, 0..count, seed);
        let (written, bytes) = requests.next(usize::try_from(count).expect("as many as fit in memory"));
        Prepared { bytes: bytes.to_vec(), request_length: bytes.len() / written, at: 0 }
    }

    /// One request.
    pub fn of(request: Vec<u8>) -> Prepared {
        Prepared { request_length: request.len(), bytes: request, at: 0 }
    }

    /// Requests until the end.
    pub fn left(&self) -> usize {
        (self.bytes.len() - self.at) / self.request_length
    }

    /// From the first request again.
    pub fn rewind(&mut self) {
        self.at = 0;
    }
}

impl Source for Prepared {
    fn next(&mut self, count: usize) -> (usize, &[u8]) {
        let end = (self.at + count * self.request_length).min(self.bytes.len());
        let batch = &self.bytes[self.at..end];
        self.at = end;
        (batch.len() / self.request_length, batch)
    }
}

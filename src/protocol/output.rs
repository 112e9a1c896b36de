use std::io::IoSlice;

/// The longest value that is copied behind its command line; above it, a gathering write is cheaper.
const INLINE_MAX: usize = 16 << 10;

/// The most parts that are sent at once.
pub(crate) const MAX_PARTS: usize = 2 * Output::MAX_BODIES + 1;

/// Requests, encoded: bytes, with the large values that go in between left where they are.
#[derive(Debug, Default)]
pub(crate) struct Output<'a> {
    bytes: Vec<u8>,
    /// Each goes before the byte at this place. The first is apart: a single one needs no memory.
    body: Option<(usize, &'a [u8])>,
    more: Vec<(usize, &'a [u8])>,
}

impl<'a> Output<'a> {
    /// The most values that are left where they are, in one window.
    pub(super) const MAX_BODIES: usize = 15;

    /// Whether a value is left where it is.
    pub(super) fn leaves(body: &[u8]) -> bool {
        body.len() > INLINE_MAX
    }

    /// An empty one, in a buffer that is used again.
    pub(crate) fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self {
            bytes,
            ..Self::default()
        }
    }

    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.body = None;
        self.more.clear();
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// In decimal digits.
    pub(super) fn number(&mut self, number: impl Into<u64>) {
        let mut digits = [0; 20];
        let start = write_backwards(number.into(), &mut digits, 20);
        self.bytes.extend_from_slice(&digits[start..]);
    }

    /// Three numbers, and a space before each.
    pub(super) fn numbers(&mut self, numbers: [u64; 3]) {
        let mut digits = [0; 63];
        let mut start = digits.len();
        for number in numbers.into_iter().rev() {
            start = write_backwards(number, &mut digits, start) - 1;
            digits[start] = b' ';
        }
        self.bytes.extend_from_slice(&digits[start..]);
    }

    /// A value: copied where it is short.
    pub(super) fn body(&mut self, body: &'a [u8]) {
        let place = (self.bytes.len(), body);
        if !Self::leaves(body) {
            self.bytes.extend_from_slice(body);
        } else if self.body.is_none() {
            self.body = Some(place);
        } else if self.more.len() + 1 < Self::MAX_BODIES {
            self.more.push(place);
        } else {
            self.bytes.extend_from_slice(body);
        }
    }

    fn bodies(&self) -> impl Iterator<Item = &(usize, &'a [u8])> {
        self.body.iter().chain(&self.more)
    }

    /// How many bytes there are in all.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() + self.bodies().map(|(_, body)| body.len()).sum::<usize>()
    }

    /// Everything from byte `skipped` on, where that is in one piece.
    pub(crate) fn piece(&self, skipped: usize) -> Option<&[u8]> {
        match self.body {
            None => self.bytes.get(skipped..),
            Some(_) => None,
        }
    }

    /// Everything from byte `skipped` on: the parts, and how many there are.
    pub(crate) fn parts(&self, mut skipped: usize) -> ([IoSlice<'_>; MAX_PARTS], usize) {
        let mut parts = [IoSlice::new(&[]); MAX_PARTS];
        let (mut count, mut at) = (0, 0);
        let end = (self.bytes.len(), &[][..]);
        for &(place, body) in self.bodies().chain([&end]) {
            for part in [&self.bytes[at..place], body] {
                let from = skipped.min(part.len());
                skipped -= from;
                if from < part.len() {
                    parts[count] = IoSlice::new(&part[from..]);
                    count += 1;
                }
            }
            at = place;
        }
        (parts, count)
    }
}

/// Writes the digits of `number` into `digits` so that they end before `end`; gives where they start.
fn write_backwards(mut number: u64, digits: &mut [u8], end: usize) -> usize {
    let mut at = end;
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return at;
        }
    }
}

use std::io::IoSlice;

/// The longest value that is copied behind its command line; above it, a gathering write is cheaper.
const INLINE_MAX: usize = 16 << 10;

/// See [`Output::MAX_BODIES`].
const MAX_BODIES: usize = 15;

/// The most parts that are sent at once.
pub(crate) const MAX_PARTS: usize = 2 * MAX_BODIES + 1;

/// Requests, encoded: bytes, with the large values that go in between left where they are.
#[derive(Debug, Default)]
pub(crate) struct Output<'a> {
    bytes: Vec<u8>,
    /// Each goes before the byte at this place.
    bodies: [(usize, &'a [u8]); MAX_BODIES],
    count: usize,
}

impl<'a> Output<'a> {
    /// The most values that are left where they are, in one window.
    pub(super) const MAX_BODIES: usize = MAX_BODIES;

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
        self.count = 0;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// In decimal digits.
    pub(super) fn number(&mut self, number: impl Into<u64>) {
        let mut number = number.into();
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.bytes.extend_from_slice(&digits[at..]);
    }

    /// A value: copied where it is short.
    pub(super) fn body(&mut self, body: &'a [u8]) {
        if Self::leaves(body) && self.count < MAX_BODIES {
            self.bodies[self.count] = (self.bytes.len(), body);
            self.count += 1;
        } else {
            self.bytes.extend_from_slice(body);
        }
    }

    /// How many bytes there are in all.
    pub(crate) fn len(&self) -> usize {
        let bodies = &self.bodies[..self.count];
        self.bytes.len() + bodies.iter().map(|(_, body)| body.len()).sum::<usize>()
    }

    /// Everything from byte `skipped` on: the parts, and how many there are.
    pub(crate) fn parts(&self, mut skipped: usize) -> ([IoSlice<'_>; MAX_PARTS], usize) {
        let mut parts = [IoSlice::new(&[]); MAX_PARTS];
        let (mut count, mut at) = (0, 0);
        let end = (self.bytes.len(), &[][..]);
        for &(place, body) in self.bodies[..self.count].iter().chain([&end]) {
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

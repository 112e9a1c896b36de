use super::{Locator, Trace};

/// All keys are on the one server.
#[derive(Debug)]
pub(super) struct Single;

impl Locator for Single {
    fn locate(&self, _key: &[u8]) -> usize {
        0
    }

    fn explain(&self, _key: &[u8]) -> Trace {
        let rule = "there is one server".to_owned();
        Trace {
            rule,
            ..Trace::new(0)
        }
    }

    fn shares(&self) -> Option<Vec<f64>> {
        Some(vec![1.0])
    }
}

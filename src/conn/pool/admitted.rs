use super::Hold;
use crate::conn::breaker::Pass;

/// The right to ask a server. One that ends in silence is given back.
#[derive(Debug)]
pub(in crate::conn) struct Admitted<P: Hold> {
    pool: P,
    pub(in crate::conn) pass: Option<Pass>,
}

impl<P: Hold> Admitted<P> {
    pub(in crate::conn) fn new(pool: &P, pass: Option<Pass>) -> Self {
        Self {
            pool: pool.clone(),
            pass,
        }
    }

    pub(in crate::conn) fn take(&mut self) -> Option<Pass> {
        self.pass.take()
    }
}

impl<P: Hold> Drop for Admitted<P> {
    fn drop(&mut self) {
        if let Some(pass) = self.take() {
            self.pool.gave_up(pass);
        }
    }
}

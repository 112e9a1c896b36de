//! The laws of connections, conversations and the pool, over sockets whose other end is a script.

use super::script::Script;
use super::stage::{Way, play};
use crate::conn::Protocol;

/// Two batches of requests, one after the other, to a server that follows a script: on one connection,
/// as long as it lasts, and then on another. Whatever the server sends,
///
/// - in pieces of any lengths it gives the same as in one piece, and the same when the client waits in
///   its calls as when it comes back;
/// - each request has one answer; a second only where a quiet window was repeated;
/// - a value is one that the server sent for the request's key;
/// - a failed write is ambiguous if it can have been sent; what changes nothing never is;
/// - a connection goes on only where all replies were complete, and nothing is left over;
/// - nothing is waited for once the time is up, or the server's end is closed.
pub fn conversation(input: &[u8]) {
    let Some(script) = Script::read(input) else {
        return;
    };
    let whole = play(&script, &Way::InPieces([usize::MAX; 2]));
    for pieces in [[1; 2], script.pieces] {
        let again = play(&script, &Way::InPieces(pieces));
        assert_eq!(again, whole, "in pieces of {pieces:?}");
    }
    // What a call waits for, somebody else has to do meanwhile: here, all is done before.
    let needs_nobody = script.protocol != Protocol::Auto
        && !script.is_looked_at
        && !whole.iter().any(|scene| scene.needs_somebody);
    if needs_nobody {
        let again = play(&script, &Way::AtOnce(&whole));
        assert_eq!(again, whole, "in calls that wait");
    }
}

//! Whose request it is.

/// The account and Region a request was signed for.
///
/// Together they decide which instances it can see, and whose quota it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub account: String,
    pub region: String,
}

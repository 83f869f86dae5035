//! Why somebody may not.

use dgh_store::StoreError;

/// Why somebody may not.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such account, or not its password: which of them is nobody's business.
    #[error("the address or the password is wrong")]
    WrongLogin,
    /// Too many attempts; seconds until the next one.
    #[error("too many attempts; the next one is in {0} s")]
    Throttled(u64),
    /// The account is a member of nothing.
    #[error("this account is in no organisation any more")]
    NoOrganisation,
    /// The password that goes with a change is not the one of the account.
    #[error("this is not the password of the account")]
    WrongPassword,
    /// A text that cannot be taken: the field, and why.
    #[error("`{field}`: {why}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// Why not.
        why: String,
    },
    /// The link was used, taken back, has expired, or never was.
    #[error("this invitation is not good any more")]
    InviteGone,
    /// The account of the invited address exists: only its password, or its session, may accept.
    #[error("there is an account for this address: sign in to accept")]
    SignInFirst,
    /// They are in the organisation already.
    #[error("this is a member already")]
    AlreadyMember,
    /// Somebody has this address already.
    #[error("there is an account for this address")]
    EmailTaken,
    /// Without an owner nobody could let anybody in.
    #[error("the last owner of an organisation stays its owner")]
    LastOwner,
    /// Nobody gives more than they have.
    #[error("a key cannot do more than whoever makes it")]
    MoreThanOwn,
    /// The system has no random numbers, or no memory for a hash.
    #[error("{0}")]
    System(String),
}

//! Numbers of things within a call. Each kind of thing has its own type, so that the number of one cannot be used for another.

/// Declares the handles of an [`IndexVec`](jfrkit_profile::index::IndexVec).
macro_rules! ids {
    ($($(#[$doc:meta])* $visible:vis $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        $visible struct $name(u32);

        jfrkit_profile::impl_id!($name);
    )*};
}

pub(crate) use ids;

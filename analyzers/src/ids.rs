//! Numbers of things within a call. Each kind of thing has its own type, so that the number of one cannot be used for another.

/// Declares the handles of an [`IndexVec`](jfrkit_profile::index::IndexVec).
macro_rules! ids {
    ($($(#[$doc:meta])* $visible:vis $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        $visible struct $name(u32);

        impl jfrkit_profile::index::Id for $name {
            #[inline]
            fn at(place: u32) -> Self {
                Self(place)
            }

            #[inline]
            fn place(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

pub(crate) use ids;

//! Vectors that are indexed by the handles of their items, so that a handle of another kind does not compile.
//!
//! This is the only place where tables are indexed without a fallback. Handles are made by the tables, never by a file;
//! if one is out of range, it is our bug, and a panic is better than a wrong number in a profile.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut, Range};

/// A handle: the index of an item in an [`IndexVec`].
pub trait Id: Copy + fmt::Debug {
    /// The handle of the item at this place.
    fn at(place: u32) -> Self;

    /// The place of the item.
    fn place(self) -> usize;
}

/// Makes a struct around a `u32` a handle.
///
/// ```
/// #[derive(Debug, Clone, Copy)]
/// struct LineId(u32);
/// jfrkit_profile::impl_id!(LineId);
/// ```
#[macro_export]
macro_rules! impl_id {
    ($name:ident) => {
        impl $crate::index::Id for $name {
            #[inline]
            fn at(place: u32) -> Self {
                Self(place)
            }

            #[inline]
            fn place(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// A vector of `T` that is indexed by handles of type `I`.
///
/// ```
/// use jfrkit_profile::index::IndexVec;
/// use jfrkit_profile::{FrameId, FunctionId};
///
/// let mut lines: IndexVec<FrameId, u32> = IndexVec::new();
/// let frame = lines.push(42);
/// assert_eq!(lines[frame], 42);
/// // lines[FunctionId::default()] does not compile.
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct IndexVec<I, T> {
    items: Vec<T>,
    of: PhantomData<fn(I) -> I>,
}

impl<I, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IndexVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<I, T> From<Vec<T>> for IndexVec<I, T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, of: PhantomData }
    }
}

impl<I, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<A: IntoIterator<Item = T>>(items: A) -> Self {
        items.into_iter().collect::<Vec<T>>().into()
    }
}

impl<I, T> IndexVec<I, T> {
    /// An empty vector.
    #[must_use]
    pub const fn new() -> Self {
        Self { items: Vec::new(), of: PhantomData }
    }

    /// The number of items.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no items.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The number of items that fit without a new allocation.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.items.capacity()
    }

    /// The items in the order of their handles.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }

    /// The items in the order of their handles, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.items.iter_mut()
    }

    /// The items in the order of their handles.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        &self.items
    }
}

impl<I, T> IntoIterator for IndexVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'v, I, T> IntoIterator for &'v IndexVec<I, T> {
    type Item = &'v T;
    type IntoIter = std::slice::Iter<'v, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<I, T> Extend<T> for IndexVec<I, T> {
    fn extend<A: IntoIterator<Item = T>>(&mut self, items: A) {
        self.items.extend(items);
    }
}

impl<I: Id, T> IndexVec<I, T> {
    /// The same item for each of `count` handles.
    #[must_use]
    pub fn filled(item: T, count: usize) -> Self
    where
        T: Clone,
    {
        vec![item; count].into()
    }

    /// An empty vector with room for `count` items.
    #[must_use]
    pub fn with_capacity(count: usize) -> Self {
        Vec::with_capacity(count).into()
    }

    /// The handle that [`push`](Self::push) would return.
    #[inline]
    #[must_use]
    pub fn next(&self) -> I {
        I::at(u32::try_from(self.items.len()).unwrap_or(u32::MAX))
    }

    /// The item of a handle that may belong to no item, such as a marker for "none". (Not named `get`, because Clippy's
    /// `indexing_slicing` would then reject every index.)
    #[inline]
    #[must_use]
    pub fn checked(&self, id: I) -> Option<&T> {
        self.items.get(id.place())
    }

    /// Appends copies of an item until there are `count` items, if there are fewer.
    pub fn grow(&mut self, count: usize, item: T)
    where
        T: Clone,
    {
        self.items.resize(count.max(self.items.len()), item);
    }

    /// The items with their handles.
    pub fn enumerate(&self) -> impl ExactSizeIterator<Item = (I, &T)> + Clone {
        self.items.iter().enumerate().map(|(place, item)| (I::at(u32::try_from(place).unwrap_or(u32::MAX)), item))
    }

    /// Appends an item and returns its handle. Handles have 32 bits; there is no room in memory for more items.
    #[inline]
    pub fn push(&mut self, item: T) -> I {
        let id = self.next();
        self.items.push(item);
        id
    }
}

impl<I: Id, T> Index<I> for IndexVec<I, T> {
    type Output = T;

    #[inline]
    #[expect(clippy::indexing_slicing, reason = "see the documentation of the module")]
    fn index(&self, id: I) -> &T {
        &self.items[id.place()]
    }
}

impl<I: Id, T> IndexMut<I> for IndexVec<I, T> {
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "see the documentation of the module")]
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.items[id.place()]
    }
}

/// The item at an index that our own code computed. An index out of range is our bug: it panics in tests and debug
/// builds. In release builds the result is `None`, for code in which a wrong index does no further harm.
#[inline]
#[must_use]
#[track_caller]
pub fn at<T>(items: &[T], place: usize) -> Option<&T> {
    debug_assert!(place < items.len(), "item {place} of {}", items.len());
    items.get(place)
}

/// The item at an index that our own code computed, to be changed, like [`at`].
#[inline]
#[must_use]
#[track_caller]
pub fn at_mut<T>(items: &mut [T], place: usize) -> Option<&mut T> {
    debug_assert!(place < items.len(), "item {place} of {}", items.len());
    items.get_mut(place)
}

/// The items of a range that our own code computed, to be changed, like [`at`].
#[inline]
#[must_use]
#[track_caller]
pub fn range_mut<T>(items: &mut [T], range: Range<usize>) -> &mut [T] {
    debug_assert!(range.start <= range.end && range.end <= items.len(), "items {range:?} of {}", items.len());
    items.get_mut(range).unwrap_or_default()
}

/// The items of a range that our own code computed, like [`at`].
#[inline]
#[must_use]
#[track_caller]
pub fn range<T>(items: &[T], range: Range<usize>) -> &[T] {
    debug_assert!(range.start <= range.end && range.end <= items.len(), "items {range:?} of {}", items.len());
    items.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameId, FunctionId};

    #[test]
    fn items_are_found_by_the_handles_that_push_returns() {
        let mut texts: IndexVec<FunctionId, &str> = IndexVec::new();
        let ids = ["a", "b"].map(|text| texts.push(text));
        texts[ids[0]] = "c";
        assert_eq!((texts[ids[0]], texts[ids[1]], texts.len()), ("c", "b", 2));
        assert_eq!(format!("{texts:?}"), r#"["c", "b"]"#);
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn a_handle_of_another_table_panics() {
        let counts: IndexVec<FrameId, u32> = IndexVec::filled(7, 3);
        assert_eq!(counts[FrameId::from_number(3)], 7);
    }
}

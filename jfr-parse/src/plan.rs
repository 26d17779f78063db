//! Reads selected fields of many events without allocating. The fields are located once per type.

use std::marker::PhantomData;

use crate::cursor::{Cursor, beyond, skip_varint_at, skip_varints_at, varint_at};
use crate::error::{Error, Result, Short};
use crate::ids::{ConstantKey, TypeId};
use crate::layout::{Budget, Layout, Step, push};
use crate::limits::Limits;
use crate::metadata::{Field, Kind, Type};
use crate::string::RawStr;
use crate::time::{TickSpan, Ticks};

/// Maximum number of types and fields examined for one plan; no real event type comes near it.
const MAX_VISITS: usize = 1 << 14;

/// The locations of `N` selected fields of a type, and how to reach them.
///
/// Create a plan once per chunk and type, and use it for each event (or constant) of that type. A field is
/// selected by its path: `duration`, or `heapSpace.committedSize` for a field of an inline type. It is read through
/// a [`Column`], which knows the type of its values. Fields that the type does not have read as 0, the null string
/// or an empty array; [`Plan::has`] returns whether a field exists.
///
/// ```
/// use jfr_parse::TickSpan;
///
/// # fn main() -> jfr_parse::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// let recording = jfr_parse::Recording::open(path)?;
/// let mut nanos = 0;
/// for chunk in recording.chunks() {
///     let chunk = chunk?;
///     let Some(file_read) = chunk.metadata().by_name("jdk.FileRead") else { continue };
///     let plan = chunk.plan(file_read, ["duration", "bytesRead"])?;
///     let duration = plan.field::<TickSpan>("duration");
///     for event in chunk.events().filter(|e| e.type_id == file_read.id()) {
///         let row = event.read(&plan)?;
///         nanos += chunk.clock().span(row.get(duration)).0;
///     }
/// }
/// assert!(nanos > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Plan<const N: usize> {
    steps: Vec<Move>,
    slots: [Option<Slot>; N],
    /// The paths of the selected fields, each followed by a zero byte.
    paths: Box<str>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    type_id: TypeId,
    pooled: bool,
    array: bool,
    kind: Kind,
}

/// The frequent moves have their own variants, so that reading an event takes one branch per field. What is rare is
/// boxed, so that the kind of a move is a separate byte.
#[derive(Debug, Clone)]
enum Move {
    SkipVarint,
    SkipVarints(usize),
    SkipString,
    Skip(Box<Step>),
    /// Read a 64-bit number or a key into the slot.
    TakeLong(usize),
    /// Decode into the slot.
    Take(usize, Decode),
    /// Store the position in the slot, then skip the value.
    Mark(usize, Box<Step>),
}

#[derive(Debug, Clone, Copy)]
enum Decode {
    /// A 64-bit number or a key.
    Long,
    /// A signed number of this many bits.
    Signed(u32),
    /// An unsigned number of this many bits.
    Unsigned(u32),
    Bool,
    SignedByte,
    Byte,
    Float,
    Double,
}

/// How far reading with a plan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To the beginning of the last selected field if it is an array or a string, otherwise to its end.
    LastBegins,
    /// To the end of the last selected field.
    LastWanted,
    /// To the end of the value.
    End,
}

impl<const N: usize> Plan<N> {
    /// Locates the `wanted` fields in values of `of`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a field before the last selected one has a type that the metadata does not
    /// declare, or one that is nested beyond the limit.
    pub fn new(of: Type<'_>, wanted: [&str; N], limits: &Limits) -> Result<Self> {
        Self::build(of, wanted, limits, Until::LastWanted)
    }

    /// Like [`new`](Self::new), but does not skip the last selected field if it is an array or a string.
    /// Whether the field ends within the value is only known once it is read. For constants with long arrays,
    /// such as stack traces.
    ///
    /// # Errors
    /// Same as [`new`](Self::new).
    pub fn open_ended(of: Type<'_>, wanted: [&str; N], limits: &Limits) -> Result<Self> {
        Self::build(of, wanted, limits, Until::LastBegins)
    }

    /// Like [`new`](Self::new), but reads past the whole value, so that the next value can be read after it
    /// ([`Plan::read_next`]).
    ///
    /// # Errors
    /// Same as [`new`](Self::new).
    pub fn whole(of: Type<'_>, wanted: [&str; N], limits: &Limits) -> Result<Self> {
        Self::build(of, wanted, limits, Until::End)
    }

    fn build(of: Type<'_>, wanted: [&str; N], limits: &Limits, until: Until) -> Result<Self> {
        let budget = Budget::new(MAX_VISITS);
        let mut builder = Builder { wanted, steps: Vec::new(), pending: Vec::new(), slots: [None; N], limits, budget };
        let parsed = match of.kind() {
            Kind::Struct => builder.fields(of, "", limits.nesting),
            kind => builder.leaf_type(of, kind),
        };
        // Nothing after the last selected field needs to be understood.
        let whole = until == Until::End;
        match builder.steps.last_mut() {
            _ if whole => builder.flush(),
            Some(Move::Mark(_, step)) if until == Until::LastBegins => **step = Step::Fixed(0),
            _ => {}
        }
        if let Err(field) = parsed
            && (whole
                || builder
                    .slots
                    .iter()
                    .zip(&wanted)
                    .any(|(slot, name)| slot.is_none() && !name.is_empty() && declares(of, name)))
        {
            return Err(Error::Mismatch(format!("the type of field {field:?} of {} cannot be read", of.name())));
        }
        builder.steps.shrink_to_fit();
        let paths = wanted.iter().flat_map(|path| [path, "\0"]).collect::<String>().into();
        Ok(Self { steps: builder.steps, slots: builder.slots, paths })
    }

    /// The field that was selected by this path, to be read as `T`. If the metadata declares it with a type that
    /// cannot be read as `T`, it reads as if the type did not have it.
    #[must_use]
    pub fn field<T: FieldType>(&self, path: &str) -> Column<T> {
        let place = self.paths.split('\0').take(N).position(|selected| selected == path);
        debug_assert!(place.is_some(), "{path:?} is not among the selected fields");
        let fits = |place: &usize| self.slots.get(*place).copied().flatten().is_none_or(|slot| slot.fits(T::KINDS));
        Column::at(place.filter(fits).unwrap_or(usize::MAX))
    }

    /// The selected fields, in the order in which they were selected.
    #[must_use]
    pub fn columns(&self) -> [Column; N] {
        std::array::from_fn(Column::at)
    }

    /// Whether the type has this field.
    #[must_use]
    pub fn has<T>(&self, column: Column<T>) -> bool {
        self.slot(column).is_some()
    }

    /// The type of a selected field. If the field is a reference, its key belongs to the pool of this type.
    #[must_use]
    pub fn type_id<T>(&self, column: Column<T>) -> Option<TypeId> {
        self.slot(column).map(|slot| slot.type_id)
    }

    /// Whether a selected field is a key into a pool, or an array of keys.
    #[must_use]
    pub fn is_pooled<T>(&self, column: Column<T>) -> bool {
        self.slot(column).is_some_and(|slot| slot.pooled)
    }

    /// Whether a selected field is an array.
    #[must_use]
    pub fn is_array<T>(&self, column: Column<T>) -> bool {
        self.slot(column).is_some_and(|slot| slot.array)
    }

    /// How a selected field is encoded if it is not a key.
    #[must_use]
    pub fn kind<T>(&self, column: Column<T>) -> Option<Kind> {
        self.slot(column).map(|slot| slot.kind)
    }

    fn slot<T>(&self, column: Column<T>) -> Option<Slot> {
        self.slots.get(column.place).copied().flatten()
    }

    /// Reads the selected fields of one value.
    ///
    /// # Errors
    /// [`Short`] if the value ends before the last selected field.
    #[inline]
    pub fn read<'a>(&self, payload: &'a [u8]) -> Result<Row<'a, N>, Short> {
        self.read_next(&mut Cursor::new(payload))
    }

    /// Reads the selected fields of the value at `at` and advances past what was read. With a plan made by
    /// [`whole`](Self::whole), that is the whole value.
    ///
    /// # Errors
    /// [`Short`] if the value ends early.
    #[inline]
    pub fn read_next<'a>(&self, at: &mut Cursor<'a>) -> Result<Row<'a, N>, Short> {
        let mut row = Row::default();
        self.read_into(at, &mut row)?;
        Ok(row)
    }

    /// Like [`read_next`](Self::read_next), but reuses a row, which saves clearing one per event. The row must
    /// be new or have been filled by the same plan.
    ///
    /// # Errors
    /// [`Short`] if the value ends early; the content of the row is then meaningless.
    #[inline]
    pub fn read_into<'a>(&self, at: &mut Cursor<'a>, row: &mut Row<'a, N>) -> Result<(), Short> {
        let bytes = at.rest();
        row.bytes = bytes;
        // The place of the next byte. It is kept in a register, unlike a cursor, whose address functions need.
        let mut place = 0;
        for step in &self.steps {
            place = match step {
                Move::TakeLong(slot) => {
                    let (value, next) = varint_at(bytes, place).ok_or(Short)?;
                    if let Some(to) = row.values.get_mut(*slot) {
                        *to = value;
                    }
                    next
                }
                Move::SkipVarint => skip_varint_at(bytes, place).ok_or(Short)?,
                Move::SkipVarints(n) => skip_varints_at(bytes, place, *n)?,
                Move::SkipString => RawStr::skip_at(bytes, place)?,
                Move::Skip(step) => step.skip_at(bytes, place)?,
                Move::Take(slot, decode) => {
                    let mut value = 0;
                    let next = beyond(bytes, place, |at| {
                        value = decode.read(at)?;
                        Ok(())
                    })?;
                    if let Some(to) = row.values.get_mut(*slot) {
                        *to = value;
                    }
                    next
                }
                Move::Mark(slot, step) => {
                    if let Some(to) = row.values.get_mut(*slot) {
                        // Positions are stored plus one, so that 0 means "missing".
                        *to = place as u64 + 1;
                    }
                    step.skip_at(bytes, place)?
                }
            }
        }
        at.move_to(place)
    }
}

impl Decode {
    #[inline(always)]
    fn read(self, at: &mut Cursor<'_>) -> Result<u64, Short> {
        Ok(match self {
            Self::Long => at.varint()?,
            // Writers mask to the width or sign-extend to 64 bits, so only the lowest bits count.
            Self::Signed(bits) => {
                let shift = 64 - bits;
                ((at.varint()? << shift).cast_signed() >> shift).cast_unsigned()
            }
            Self::Unsigned(bits) => {
                let shift = 64 - bits;
                (at.varint()? << shift) >> shift
            }
            Self::Bool => u64::from(at.u8()? != 0),
            Self::SignedByte => i64::from(at.u8()?.cast_signed()).cast_unsigned(),
            Self::Byte => u64::from(at.u8()?),
            Self::Float => f64::from(f32::from_be_bytes(at.array()?)).to_bits(),
            Self::Double => f64::from_be_bytes(at.array()?).to_bits(),
        })
    }
}

fn declares(of: Type<'_>, path: &str) -> bool {
    let (first, _) = path.split_once('.').unwrap_or((path, ""));
    of.field(first).is_some()
}

struct Builder<'w, const N: usize> {
    wanted: [&'w str; N],
    steps: Vec<Move>,
    /// Steps that skip unselected fields since the last selected one.
    pending: Vec<Step>,
    slots: [Option<Slot>; N],
    limits: &'w Limits,
    budget: Budget,
}

impl<'w, const N: usize> Builder<'w, N> {
    /// `prefix` is the path to `of` with a trailing dot, or empty.
    fn fields(&mut self, of: Type<'_>, prefix: &str, depth: usize) -> std::result::Result<(), String> {
        for field in of.fields() {
            let name = field.name();
            let path = || format!("{prefix}{name}");
            self.budget.spend().ok_or_else(path)?;
            // The part of the path after the prefix and this field's name.
            let behind = |w: &'w str| w.strip_prefix(prefix).and_then(|w| w.strip_prefix(name));
            let inner = self.wanted.iter().find(|w| behind(w).is_some_and(|rest| rest.starts_with('.')));
            let inner = inner.and_then(|w| w.get(..prefix.len() + name.len() + 1));
            if let Some(slot) = self.wanted.iter().position(|w| behind(w) == Some("")) {
                self.take(slot, field).ok_or_else(path)?;
            } else if let Some((inline, inner)) =
                field.value_type().filter(|_| !field.is_array() && !field.is_pooled()).zip(inner)
            {
                let depth = depth.checked_sub(1).ok_or_else(path)?;
                self.fields(inline, inner, depth)?;
            } else {
                let layout = Layout::of_field(field, self.limits, &mut self.budget).ok_or_else(path)?;
                for step in layout.steps() {
                    push(&mut self.pending, step.clone());
                }
            }
        }
        Ok(())
    }

    /// A type that is its own only value: a primitive or a string in a pool. It matches the empty path.
    fn leaf_type(&mut self, of: Type<'_>, kind: Kind) -> std::result::Result<(), String> {
        if let Some(slot) = self.wanted.iter().position(|w| w.is_empty()) {
            self.slot(slot, Slot { type_id: of.id(), pooled: false, array: false, kind }, Step::Str, false);
        }
        Ok(())
    }

    fn take(&mut self, slot: usize, field: Field<'_>) -> Option<()> {
        let value_type = field.value_type();
        let found = Slot {
            type_id: field.type_id(),
            pooled: field.is_pooled(),
            array: field.is_array(),
            kind: value_type.map(|t| t.kind()).unwrap_or_default(),
        };
        if !found.pooled && value_type.is_none() {
            return None;
        }
        let layout = Layout::of_field(field, self.limits, &mut self.budget)?;
        match layout.steps() {
            [step] => self.slot(slot, found, step.clone(), field.is_unsigned()),
            steps => {
                // For an inline struct, only the position can be stored.
                self.mark(slot, found, Step::Fixed(0));
                for step in steps {
                    push(&mut self.pending, step.clone());
                }
            }
        }
        Some(())
    }

    fn slot(&mut self, slot: usize, found: Slot, step: Step, unsigned: bool) {
        let decode = match found.kind {
            _ if found.array => None,
            _ if found.pooled => Some(Decode::Long),
            Kind::Boolean => Some(Decode::Bool),
            Kind::Byte if unsigned => Some(Decode::Byte),
            Kind::Byte => Some(Decode::SignedByte),
            Kind::Short if unsigned => Some(Decode::Unsigned(16)),
            Kind::Short => Some(Decode::Signed(16)),
            Kind::Char => Some(Decode::Unsigned(16)),
            Kind::Int if unsigned => Some(Decode::Unsigned(32)),
            Kind::Int => Some(Decode::Signed(32)),
            Kind::Long => Some(Decode::Long),
            Kind::Float => Some(Decode::Float),
            Kind::Double => Some(Decode::Double),
            Kind::String | Kind::Struct => None,
        };
        match decode {
            Some(decode) => {
                self.flush();
                self.steps.push(match decode {
                    Decode::Long => Move::TakeLong(slot),
                    decode => Move::Take(slot, decode),
                });
                self.found(slot, found);
            }
            None => self.mark(slot, found, step),
        }
    }

    fn mark(&mut self, slot: usize, found: Slot, step: Step) {
        self.flush();
        self.steps.push(Move::Mark(slot, Box::new(step)));
        self.found(slot, found);
    }

    fn found(&mut self, slot: usize, found: Slot) {
        if let Some(to) = self.slots.get_mut(slot) {
            *to = Some(found);
        }
    }

    fn flush(&mut self) {
        self.steps.extend(self.pending.drain(..).map(|step| match step {
            Step::Varints(1) => Move::SkipVarint,
            Step::Varints(n) => Move::SkipVarints(n),
            Step::Str => Move::SkipString,
            step => Move::Skip(Box::new(step)),
        }));
    }
}

/// A selected field of a [`Plan`], and the type of its values: what is read as an instant cannot be used as a
/// duration, and a key of a constant cannot be used as a number.
///
/// [`Plan::field`] finds a column by its path. If the fields of all plans are laid out in the same way, columns can be
/// constants instead:
///
/// ```
/// # fn main() -> jfr_parse::Result<()> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-full.jfr");
/// use jfr_parse::{Column, Text, TickSpan};
///
/// const DURATION: Column<TickSpan> = Column::at(0);
/// const PATH: Column<Text> = Column::at(1);
///
/// let recording = jfr_parse::Recording::open(path)?;
/// let chunk = recording.chunk(0)?;
/// let file_read = chunk.metadata().by_name("jdk.FileRead").expect("the JVM declares it");
/// let plan = chunk.plan(file_read, ["duration", "path"])?;
/// let event = chunk.events().find(|e| e.type_id == file_read.id()).expect("a file was read");
/// let row = event.read(&plan)?;
/// assert!(chunk.clock().span(row.get(DURATION)).0 > 0);
/// assert!(row.get(PATH).decode().is_some());
/// # Ok(())
/// # }
/// ```
///
/// A mix-up does not compile:
///
/// ```compile_fail,E0308
/// # use jfr_parse::{Clock, Column, Row, TickSpan};
/// const DURATION: Column<TickSpan> = Column::at(0);
/// fn end(row: &Row<'_, 1>, clock: &Clock) -> i64 {
///     clock.nanos(row.get(DURATION)).0 // expects an instant
/// }
/// ```
#[repr(transparent)]
pub struct Column<T = Untyped> {
    place: usize,
    of: PhantomData<fn() -> T>,
}

/// The type of a [`Column`] whose values cannot be read before [`Column::of`] gives them a type.
#[derive(Debug, Clone, Copy)]
pub struct Untyped;

impl<T> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Column({})", self.place)
    }
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

impl<T> PartialEq for Column<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Column<T> {}

impl<T> Column<T> {
    /// The field that is selected at this place, counted from 0.
    #[must_use]
    pub const fn at(place: usize) -> Self {
        Self { place, of: PhantomData }
    }

    /// The place of the field among the selected ones.
    #[inline]
    #[must_use]
    pub const fn place(self) -> usize {
        self.place
    }

    /// The same field with values of another type, for a field whose type depends on the event.
    #[inline]
    #[must_use]
    pub const fn of<U>(self) -> Column<U> {
        Column::at(self.place)
    }
}

/// A type of values in a [`Column`]: `u64`, `i64`, `f64` and `bool` for fields of these types (`f64` also for floats, and
/// the integers also for shorter ones), [`Ticks`], [`TickSpan`], [`TypeId`], [`ConstantKey`] for references, [`Text`] for
/// strings, and [`Inline`] for arrays and inline types.
pub trait FieldType: sealed::FieldType {
    /// What is read.
    type Value<'a>;

    #[doc(hidden)]
    fn read<'a, const N: usize>(row: &Row<'a, N>, place: usize) -> Self::Value<'a>;
}

mod sealed {
    /// The fields that can be read as a type.
    #[derive(Clone, Copy)]
    pub enum Kinds {
        Integers,
        Floats,
        Booleans,
        Keys,
        Strings,
        Inline,
    }

    pub trait FieldType {
        const KINDS: Kinds;
    }
}

use sealed::Kinds;

impl Slot {
    fn fits(self, kinds: Kinds) -> bool {
        if self.array || self.pooled {
            return matches!((kinds, self.array), (Kinds::Inline, true) | (Kinds::Keys, false));
        }
        match self.kind {
            Kind::Boolean => matches!(kinds, Kinds::Booleans),
            Kind::Float | Kind::Double => matches!(kinds, Kinds::Floats),
            Kind::Byte | Kind::Short | Kind::Char | Kind::Int | Kind::Long => matches!(kinds, Kinds::Integers),
            Kind::String => matches!(kinds, Kinds::Strings),
            Kind::Struct => matches!(kinds, Kinds::Inline),
        }
    }
}

/// Strings in a [`Column`], undecoded: [`RawStr`]. [`RawStr::Null`] if the field is not a string.
#[derive(Debug, Clone, Copy)]
pub struct Text;

/// Arrays and inline types in a [`Column`]: a [`Cursor`] at the value, or `None` if there is no such field. An array
/// begins with its count.
#[derive(Debug, Clone, Copy)]
pub struct Inline;

macro_rules! field_types {
    ($($of:ty = $kinds:ident: $value:ty, |$row:ident, $place:ident| $read:expr;)*) => {$(
        impl sealed::FieldType for $of {
            const KINDS: Kinds = Kinds::$kinds;
        }

        impl FieldType for $of {
            type Value<'a> = $value;

            #[inline]
            fn read<'a, const N: usize>($row: &Row<'a, N>, $place: usize) -> $value {
                $read
            }
        }
    )*};
}
field_types! {
    u64 = Integers: u64, |row, place| row.number(place);
    i64 = Integers: i64, |row, place| row.number(place).cast_signed();
    f64 = Floats: f64, |row, place| f64::from_bits(row.number(place));
    bool = Booleans: bool, |row, place| row.number(place) != 0;
    Ticks = Integers: Ticks, |row, place| Ticks(row.number(place).cast_signed());
    TickSpan = Integers: TickSpan, |row, place| TickSpan(row.number(place).cast_signed());
    TypeId = Integers: TypeId, |row, place| TypeId(row.number(place));
    ConstantKey = Keys: ConstantKey, |row, place| ConstantKey(row.number(place));
    Text = Strings: RawStr<'a>, |row, place| {
        row.cursor(place).and_then(|mut at| RawStr::read(&mut at).ok()).unwrap_or(RawStr::Null)
    };
    Inline = Inline: Option<Cursor<'a>>, |row, place| row.cursor(place);
}

/// The selected fields of one value.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a, const N: usize> {
    bytes: &'a [u8],
    values: [u64; N],
}

impl<const N: usize> Default for Row<'_, N> {
    fn default() -> Self {
        Self { bytes: &[], values: [0; N] }
    }
}

impl<'a, const N: usize> Row<'a, N> {
    /// The value of a selected field.
    #[inline]
    #[must_use]
    pub fn get<T: FieldType>(&self, column: Column<T>) -> T::Value<'a> {
        T::read(self, column.place)
    }

    #[inline]
    fn number(&self, place: usize) -> u64 {
        debug_assert!(place < N || place == usize::MAX, "field {place} of a plan with {N}");
        self.values.get(place).copied().unwrap_or(0)
    }

    #[inline]
    fn cursor(&self, place: usize) -> Option<Cursor<'a>> {
        let place = usize::try_from(self.number(place)).ok()?.checked_sub(1)?;
        self.bytes.get(place..).map(Cursor::new)
    }
}

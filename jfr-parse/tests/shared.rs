//! What threads may share and pass on. That this compiles is the test.

use jfr_parse::engine::{PoolEntries, PoolLayouts};
use jfr_parse::metadata::{Annotation, Setting};
use jfr_parse::text::TextWriter;
use jfr_parse::{
    Access, Chunk, ChunkHeader, Clock, Content, Cursor, Damage, Error, Events, Field, Iso, Kind, Limits, Loss,
    Metadata, MetadataCache, OpenOptions, Plan, PoolOf, Pools, RawEvent, RawStr, Recording, Row, Short, Stop,
    StructValue, TimeUnit, Timed, Type, Value, ValueReader,
};

fn shared<T: Send + Sync>() {}
fn handed_on<T: Send>() {}

#[test]
fn threads_may_share_recordings_and_chunks() {
    shared::<Recording<'static>>();
    shared::<(Chunk<'_>, ChunkHeader, Pools<'_>, PoolOf<'_, '_>, PoolLayouts, Clock)>();
    shared::<(Metadata, MetadataCache, Type<'_>, Field<'_>, Setting<'_>, Annotation<'_>)>();
    shared::<(Plan<1>, Row<'_, 1>, RawEvent<'_>, RawStr<'_>, Cursor<'_>)>();
    shared::<(Value<'_>, StructValue<'_>, Timed<'_, '_>, Iso)>();
    shared::<(Limits, Stop, OpenOptions, Access)>();
    shared::<(Error, Loss, Damage, Short)>();
    shared::<(Kind, Content, TimeUnit)>();
}

#[test]
fn threads_may_pass_on_iterators_and_readers() {
    handed_on::<(Events<'_, '_>, PoolEntries, ValueReader<'_>, TextWriter)>();
}

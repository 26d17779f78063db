//! The shared machinery for reading recordings: the order in which chunks are read ([`driver`]), reading a
//! chunk for several consumers at once ([`consumer`]), everything that depends only on metadata ([`plans`],
//! [`stack_plans`]), which constants fields lead to ([`reachable`]), which profile an event counts in
//! ([`routing`]), and resolving stack traces and methods ([`stacks`], [`functions`]).
//!
//! What happens with the events of a chunk does not belong here; that is up to the consumers, `profiles` and
//! `events::read`. Start with [`consumer`].

pub(crate) mod bounds;
pub(crate) mod consumer;
pub(crate) mod driver;
pub(crate) mod functions;
mod memo;
pub(crate) mod plans;
pub(crate) mod reachable;
pub(crate) mod routing;
pub(crate) mod stack_plans;
pub(crate) mod stacks;
pub(crate) mod type_map;

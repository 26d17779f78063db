//! A consumer with new requirements works without changes to the engine.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jfr_parse::{Chunk, Limits, Loss, RawEvent, Recording, Result, Type, TypeId};

use super::{At, Consumer, Ended, Engine};
use crate::account::Account;
use crate::engine::driver::{run, tasks};
use crate::engine::functions::Spelling;
use crate::engine::stack_plans::StackPlans;
use crate::engine::stacks::Shared;

/// Counts the bytes of each event type, by name.
struct Sizes;

impl Consumer for Sizes {
    type Plans = BTreeMap<TypeId, String>;
    type Ready<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type State<'c, 'a: 'c>
        = ()
    where
        Self: 'c;
    type Part<'a> = BTreeMap<TypeId, usize>;
    type Yield = BTreeMap<String, usize>;

    fn plans(&self, chunk: &Chunk<'_>) -> Result<Self::Plans> {
        Ok(chunk.metadata().event_types().map(|of| (of.id(), of.name().to_owned())).collect())
    }

    fn reads_constants(&self, _: &Self::Plans, _: Type<'_>) -> bool {
        false
    }

    fn reads_events(&self, _: &Self::Plans, _: Type<'_>) -> bool {
        true
    }

    fn segment(&self) -> usize {
        1 << 10
    }

    fn trace_type(&self, _: &Self::Plans) -> Option<TypeId> {
        None
    }

    fn ready<'c, 'a: 'c>(&'c self, _: At<'c, 'a, Self::Plans>, _: Option<&'c StackPlans>) {}

    fn state<'c, 'a: 'c>(&'c self, _: At<'c, 'a, Self::Plans>) {}

    fn part<'a>(&self, _: &Self::Plans) -> Self::Part<'a> {
        BTreeMap::new()
    }

    fn event<'c, 'a: 'c>(
        &'c self,
        _: &At<'c, 'a, Self::Plans>,
        (): &(),
        (): &mut (),
        part: &mut Self::Part<'a>,
        event: &RawEvent<'a>,
    ) {
        *part.entry(event.type_id).or_default() += event.size;
    }

    fn add_loss(&self, _: &mut Self::Part<'_>, _: Loss) {}

    fn close<'c, 'a: 'c>(&self, (): &mut (), part: &mut Self::Part<'a>) -> usize {
        part.len() * 16
    }

    fn join<'a>(&self, whole: &mut Self::Part<'a>, later: Self::Part<'a>) {
        later.into_iter().for_each(|(id, bytes)| *whole.entry(id).or_default() += bytes);
    }

    fn finish<'c, 'a: 'c>(
        &'c self,
        at: At<'c, 'a, Self::Plans>,
        _: &Ended<'_, 'c, 'a>,
        whole: Self::Part<'a>,
    ) -> Result<Self::Yield> {
        Ok(whole.into_iter().map(|(id, bytes)| (at.plans.get(&id).cloned().unwrap_or_default(), bytes)).collect())
    }
}

#[test]
fn a_new_consumer_works_without_changes_to_the_engine() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/jdk17-multichunk.jfr");
    let recording = Recording::from_bytes(std::fs::read(path).unwrap(), &Limits::tool()).unwrap();
    let shared = Shared::new(Spelling::default(), recording.limits(), recording.bytes().len());
    let account = Account::new(recording.limits().clone());
    let sum = |two: &mut BTreeMap<String, usize>, one: BTreeMap<String, usize>| {
        one.into_iter().for_each(|(name, bytes)| *two.entry(name).or_default() += bytes);
    };
    // Alone, and as one of two consumers, one of which may be missing.
    let (mut alone, mut beside) = (BTreeMap::new(), BTreeMap::new());
    let engine = Engine::new(Sizes, &shared, &account, []);
    run(&tasks(&[&recording]), |i, chunk| engine.chunk(i, chunk), |_, sizes| sum(&mut alone, sizes.unwrap())).unwrap();
    let engine = Engine::new((None::<Sizes>, Some(Sizes)), &shared, &account, []);
    run(
        &tasks(&[&recording]),
        |i, chunk| engine.chunk(i, chunk),
        |_, sizes| sum(&mut beside, sizes.unwrap().1.unwrap()),
    )
    .unwrap();
    let expected = crate::Summary::of(&recording).unwrap().events;
    let expected: BTreeMap<String, usize> =
        expected.into_iter().map(|event| (event.name, usize::try_from(event.bytes).unwrap())).collect();
    assert_eq!(alone, expected);
    assert_eq!(beside, expected);
}

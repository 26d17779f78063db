//! `ProfileLockWait`: threads that wait for locks rather than work.

use super::Process;
use super::table::{rows, score, top, unit};
use jfr_analyzers::rule::{Category, RuleInfo, Setting, Settings, Value, Verdict};
use jfrkit_profile::tree::{By, CallStacks};
use jfrkit_profile::units;

/// Below this much waiting, in seconds per second, it does not matter.
const LEAST: f64 = 0.1;

/// Why it matters.
const WHY: &str = "Waiting is summed over all threads, including those that wait for work at a lock. Look for locks that \
                   delay the threads serving requests.";
/// What to do.
const REMEDY: &str = "Look at the lock profile: hold the top locks for less time, or give each thread its own data.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileLockWait")
        .title("Waiting for locks")
        .category(Category::Locks)
        .description("How long threads wait for locks, compared with the time that they work.")
        .formula(
            "Waiting divided by waiting plus CPU time: 25 at `info`, 75 at `warning`; not a finding below 0.1 \
             s per second.",
        )
        .settings(
            const {
                &[
                    Setting::percent("info", 30.0, "Share of waiting worth a look"),
                    Setting::percent("warning", 70.0, "Share of waiting to act on"),
                ]
            },
        )
        .why(WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    match measure(process) {
        Ok(measured) => verdict(&measured, settings),
        Err(because) => Verdict::not_applicable(because),
    }
}

/// Waiting for locks, summed over threads.
struct Measured<'p> {
    /// In seconds per second.
    waited: f64,
    /// Waiting divided by waiting plus CPU time, 0 to 1.
    share: f64,
    /// The lock profile, if there is one.
    stacks: Option<&'p CallStacks>,
}

/// The error is what is missing.
fn measure<'p>(process: &Process<'p>) -> Result<Measured<'p>, &'static str> {
    let stacks = ["lock", "mutex"].into_iter().find_map(|kind| process.stacks(kind));
    let of_profile = || {
        let total = stacks.filter(|stacks| unit(stacks) == "nanoseconds")?.totals().last().copied()?;
        (process.seconds() > 0.0).then(|| total as f64 / 1e9 / process.seconds())
    };
    let waited = process.metric(&["lock.wait"]).or_else(of_profile);
    let waited = waited.ok_or("the client sends no lock profile")?;
    let cores = process.metric(&["cpu.cores"]).ok_or("there is no CPU time to compare it with")?;
    let share = if waited > 0.0 { waited / (waited + cores.max(0.0)) } else { 0.0 };
    Ok(Measured { waited, share, stacks })
}

fn verdict(measured: &Measured<'_>, settings: &Settings) -> Verdict {
    let Measured { waited, share, stacks } = measured;
    let a_second = format!("{} s per second", units::number(*waited));
    if *waited < LEAST {
        return Verdict::ok(format!("Threads hardly wait for locks: {a_second}"));
    }
    let summary = format!("Threads wait for locks {a_second}, {} of that and CPU time", units::share(*share));
    Verdict::scored(score(*share, settings), summary)
        .explain(WHY)
        .remedy(REMEDY)
        .with("waiting", Value::number(*waited, "s/s"))
        .with_some("locks", stacks.map(locks))
}

/// The locks that threads wait for longest, or the functions if the client does not name locks.
fn locks(stacks: &CallStacks) -> Value {
    let (by_class, total, _) = rows(stacks, &By::Class);
    if by_class.iter().all(|row| row.key.starts_with('[')) {
        top(&rows(stacks, &By::Function).0, total, unit(stacks), "function")
    } else {
        top(&by_class, total, unit(stacks), "lock")
    }
}

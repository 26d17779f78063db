//! `ProfileHotFunction`: one function that takes much of the CPU time by itself.

use super::Process;
use super::table::{FEW_SAMPLES, rows, score, share, top, unit};
use jfr_analyzers::rule::{Category, Cost, RuleInfo, Setting, Settings, Severity, Value, Verdict};
use jfrkit_profile::tree::{By, CallStacks, TableRow};
use jfrkit_profile::units;

/// Below this much CPU, in cores, it does not matter where the time goes.
const IDLE_CORES: f64 = 0.05;

/// Why it matters.
const WHY: &str = "A function with a large share of its own, without the functions that it calls, is where a change \
                   saves most CPU time.";
/// What to do, unless the garbage collector is the hottest.
const REMEDY: &str = "Look at its callers: calling it less often usually pays off more than making it faster. Then look \
                      for work that its lines repeat needlessly: `jfrkit top --by line` lists them; on the page, show \
                      the flame graph by line.";

pub(super) fn info() -> RuleInfo {
    RuleInfo::own("ProfileHotFunction")
        .title("Hot function")
        .category(Category::Cpu)
        .description("Whether one function alone, without its callees, takes much of the CPU time.")
        .formula(
            "Share of the CPU time: 25 at `info`, 75 at `warning`; not a finding below 0.05 cores. At most \
             worth a look, because a hot function may be the program's work. Idle time, such as `(idle)` in \
             Node.js, is not CPU time.",
        )
        .settings(
            const {
                &[
                    Setting::percent("info", 20.0, "Share of the CPU time worth a look"),
                    Setting::percent("warning", 50.0, "Share of the CPU time that scores 75"),
                ]
            },
        )
        .why(WHY)
        .remedy(REMEDY)
}

pub(super) fn evaluate(process: &Process<'_>, settings: &Settings) -> Verdict {
    let Some(stacks) = process.stacks("cpu") else { return Verdict::not_applicable("there is no CPU profile") };
    let measured = measure(process, stacks);
    let Some(hottest) = measured.hottest().filter(|_| measured.samples >= FEW_SAMPLES) else {
        return Verdict::not_applicable(format!(
            "there are too few CPU samples: {}",
            units::things(u64::try_from(measured.samples).unwrap_or(0), "sample", "samples")
        ));
    };
    if let Some(cores) = measured.cores.filter(|cores| *cores < IDLE_CORES) {
        return Verdict::ok(format!("The process hardly uses the CPU: {} cores", units::number(cores)));
    }
    verdict(&measured, hottest, settings)
}

/// The CPU profile without idle time.
struct Measured<'p> {
    functions: Vec<TableRow>,
    /// The sum of the functions, and the idle time, in `unit`.
    total: i64,
    idle: i64,
    unit: &'p str,
    samples: i64,
    /// The cores that the process uses, if known.
    cores: Option<f64>,
}

impl Measured<'_> {
    /// The function with the most time of its own.
    fn hottest(&self) -> Option<&TableRow> {
        self.functions.iter().find(|row| !is_no_function(&row.key))
    }
}

fn measure<'p>(process: &Process<'_>, stacks: &'p CallStacks) -> Measured<'p> {
    let (mut functions, all, mut samples) = rows(stacks, &By::Function);
    let mut total = all;
    functions.retain(|row| {
        let idle = is_idle(&row.key);
        if idle {
            total = total.saturating_sub(row.own);
            // It calls nothing, so all its samples are its own.
            samples = samples.saturating_sub(row.samples);
        }
        !idle
    });
    let cores = process.metric(&["cpu.cores"]).map(|cores| cores * share(total, all));
    Measured { functions, total, idle: all.saturating_sub(total), unit: unit(stacks), samples, cores }
}

/// Whether a row of a CPU profile is a thread with nothing to do: V8's time between two events, and a parked goroutine.
fn is_idle(function: &str) -> bool {
    matches!(function, "(idle)" | "runtime.gopark")
}

/// Whether a row is CPU time outside of any function of the program: V8's own code, and Datadog's row for the threads
/// that run no JavaScript.
fn is_no_function(function: &str) -> bool {
    matches!(function, "(program)" | "(root)" | "Non JS threads activity")
}

fn verdict(measured: &Measured<'_>, hottest: &TableRow, settings: &Settings) -> Verdict {
    let part = share(hottest.own, measured.total);
    let is_gc = matches!(&*hottest.key, "(garbage collector)" | "Garbage Collection");
    let summary = if is_gc {
        format!("Garbage collection takes {} of CPU time", units::share(part))
    } else {
        format!("{} itself takes {} of CPU time", hottest.key, units::share(part))
    };
    let remedy = if is_gc {
        "Look at the allocation profile: allocate less in the functions that allocate most, or give the program a \
         larger heap."
    } else {
        REMEDY
    };
    let idle = (measured.idle > 0).then(|| Value::text(units::value(measured.idle, measured.unit)));
    Verdict::scored(score(part, settings), summary)
        // It may be the program's work, as for HotSpots.
        .at_most(Severity::Info)
        .explain(WHY)
        .remedy(remedy)
        .with("functions", top(&measured.functions, measured.total, measured.unit, "function"))
        .with_some("cpu cores", measured.cores.map(|cores| Value::number(cores, "cores")))
        .with_some("idle", idle)
        .cost(Cost::cpu(part))
}

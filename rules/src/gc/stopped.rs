//! How long the application was stopped, in the worst window and in the whole recording: shared by the rules that judge
//! pauses and halts by their share of the time.

use jfr_analyzers::events::Facts;
use jfr_analyzers::math::{Timed, Window, map2, ratio, worst_sliding_window, worst_window};
use jfr_analyzers::rule::{Cost, Setting, Settings, Severity, Value, Verdict};

/// Minimum stopped time, in nanoseconds, for its share of a short recording to be meaningful.
const ENOUGH: i64 = 200_000_000;

pub(super) const UNLIKE_JMC: &str = "JMC always uses the full window length, even if the recording is shorter.";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::percent("info", 5.0, "Share of a window that is worth a look"),
    Setting::percent("warning", 10.0, "Share of a window to act on"),
    Setting::seconds("window", 60.0, "Length of the window"),
];

/// The time in some spans.
pub(super) struct Stopped {
    total: i64,
    window: Window,
    /// Of the worst window, 0 to 1.
    pub(super) share: f64,
    /// Of the recording, 0 to 1.
    pub(super) whole: f64,
    score: f64,
    of_jmc: Severity,
}

impl Stopped {
    /// `total` is the sum of the spans in nanoseconds.
    pub(super) fn of(spans: &[impl Timed], total: i64, facts: &Facts, settings: &Settings) -> Self {
        let (window, worst) = worst_window(spans, settings.nanos("window"), facts.window());
        let whole = ratio(total as f64, facts.nanos() as f64).min(1.0);
        // A window may include time that is not recorded; the share of the recording does not.
        let share = worst.max(whole);
        let score = |share: f64| map2(share * 100.0, settings.number("info"), settings.number("warning"));
        let of_jmc = Severity::of_score(score(worst_sliding_window(spans, settings.nanos("window")).1));
        Self { total, window, share, whole, score: score(share), of_jmc }
    }

    /// The verdict with its cost and the evidence that the rules share.
    pub(super) fn verdict(&self, summary: String) -> Verdict {
        Verdict::scored(self.score, summary)
            .jmc(self.of_jmc)
            .at_most(if self.total < ENOUGH { Severity::Info } else { Severity::Warning })
            .cost(Cost::elapsed(self.whole))
            .with("share of worst window", Value::share(self.share))
            .with("worst window", Value::window(self.window.from, self.window.to))
            .with("share of recording", Value::share(self.whole))
    }
}

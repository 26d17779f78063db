//! Throwables by class and stack, shared by the rules on them.

use jfr_analyzers::events::{EVENT, Facts, GroupBy};
use jfrkit_profile::{FrameId, StackId};

pub(super) const THROWS: &str = "jdk.JavaExceptionThrow";
pub(super) const ERRORS: &str = "jdk.JavaErrorThrow";
pub(super) const DATADOG: &str = "datadog.ExceptionSample";

/// Throwables by event type, class and stack. The JDK writes two events for an Error, and one for any other throwable.
pub(super) const THROWN: GroupBy = GroupBy::of(&[THROWS, DATADOG]).by(&[EVENT, "thrownClass|type", "stackTrace"]);

/// The fields read from [`ERRORS`].
pub(super) const ERROR_FIELDS: &[&str] = &["thrownClass", "message", "stackTrace"];

fn is_constructor(method: &str) -> bool {
    method.ends_with(".<init>") || method == "java.lang.Throwable.fillInStackTrace"
}

/// The frames below the constructors of a throwable of this class: where it was created, and the callers. If a
/// constructor of another class created it, that frame stays.
fn below_constructors<'f>(
    facts: &'f Facts,
    stack: StackId,
    class: &str,
) -> impl Iterator<Item = FrameId> + Clone + use<'f> {
    let frames = facts.frames(stack);
    let constructors = frames.iter().take_while(|f| is_constructor(facts.method(**f))).count();
    let is_own = |frame: &FrameId| facts.method(*frame).strip_suffix(".<init>") == Some(class);
    let lead = frames.iter().take(constructors).enumerate();
    let own = lead.filter(|(_, frame)| is_own(frame)).map(|(at, _)| at).next_back();
    frames.iter().copied().skip(own.map_or(constructors, |at| at.saturating_add(1)))
}

/// Where a throwable of this class was created, and the first frame of the program itself from there on.
pub(super) fn place(facts: &Facts, stack: StackId, class: &str) -> (Option<FrameId>, Option<FrameId>) {
    let mut frames = below_constructors(facts, stack, class);
    (frames.clone().next(), frames.find(|f| !facts.is_jdk_frame(*f)))
}

/// Whether this stack creates an Error.
pub(super) fn makes_error(facts: &Facts, stack: StackId) -> bool {
    facts.methods(stack).take_while(|m| is_constructor(m)).any(|m| m == "java.lang.Error.<init>")
}

/// Whether the recorded exceptions are a sample: from JDK 25 on there is a limit per second.
pub(super) fn is_throttled(facts: &Facts) -> bool {
    facts.settings_of(THROWS, "throttle").iter().any(|s| !matches!(s.value, "off" | ""))
}

//! Which methods belong to the method sets that rules look for.

use regex::{RegexSet, RegexSetBuilder};

use super::Facts;
use crate::events::methods::{MethodSet, REGEX_SIZE, Scope, expression};
use jfrkit_profile::{FunctionId, StackId, is_jdk};

/// For each function, the sets it belongs to, one bit per set.
#[derive(Debug)]
pub(super) struct Membership {
    /// Number of words of bits per function.
    words: usize,
    bits: Vec<u64>,
    members: Vec<Member>,
    /// Sets with [`Scope::Direct`].
    direct: Vec<u64>,
}

/// What is known about a function besides its sets.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    kind: Kind,
    /// Whether it belongs to a set.
    of_any: bool,
}

/// How a function counts for sets it does not belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// Program code.
    Program,
    /// JDK or native code.
    #[default]
    Jdk,
    /// JDK code that calls whatever it is given.
    PassesOn,
}

impl Kind {
    fn of(method: &str) -> Self {
        const REFLECTION: [&str; 3] = ["java.lang.reflect.", "jdk.internal.reflect.", "sun.reflect."];
        let name = method.rsplit('.').next().unwrap_or(method);
        let calls = name.starts_with("invoke") || name.starts_with("newInstance");
        if calls && REFLECTION.iter().any(|p| method.starts_with(p))
            || method == "java.security.AccessController.doPrivileged"
        {
            Self::PassesOn
        } else if is_jdk(method) {
            Self::Jdk
        } else {
            Self::Program
        }
    }
}

impl Membership {
    /// Matches the name of each function against all sets at once.
    fn of(facts: &Facts) -> Self {
        let sets = &facts.methods;
        let words = sets.len().div_ceil(64);
        let mut direct = vec![0; words];
        for (i, _) in sets.iter().enumerate().filter(|(_, set)| set.looks_at() == Scope::Direct) {
            raise(&mut direct, i);
        }
        let matcher = Matcher::new(sets);
        let functions = facts.names.function_count();
        let mut all = Self { words, bits: vec![0; functions.saturating_mul(words)], members: Vec::new(), direct };
        all.members.reserve_exact(functions);
        for i in super::bounded::Places::new(facts, functions) {
            let name = facts.names.function_at(i).map_or("", |f| facts.names.str(f.name));
            let from = i.saturating_mul(words);
            let bits = all.bits.get_mut(from..from.saturating_add(words)).unwrap_or_default();
            matcher.mark(name, bits);
            all.members.push(Member { kind: Kind::of(name), of_any: bits.iter().any(|word| *word != 0) });
        }
        all
    }

    fn of_function(&self, function: FunctionId) -> &[u64] {
        let from = function.index().saturating_mul(self.words);
        self.bits.get(from..from.saturating_add(self.words)).unwrap_or_default()
    }
}

/// Matches against all sets at once.
enum Matcher<'s> {
    /// The expressions of all patterns, and the set to which each belongs.
    Joined(RegexSet, Vec<usize>),
    /// Used if the combined expression would be too large.
    Each(&'s [MethodSet]),
}

impl<'s> Matcher<'s> {
    fn new(sets: &'s [MethodSet]) -> Self {
        let all = || sets.iter().enumerate().flat_map(|(i, set)| set.patterns().iter().map(move |p| (i, p)));
        let regex = RegexSetBuilder::new(all().map(|(_, p)| expression(p))).size_limit(REGEX_SIZE).build();
        regex.map_or(Self::Each(sets), |regex| Self::Joined(regex, all().map(|(i, _)| i).collect()))
    }

    fn mark(&self, name: &str, bits: &mut [u64]) {
        match self {
            Self::Joined(regex, set_of) => {
                for pattern in &regex.matches(name) {
                    set_of.get(pattern).into_iter().for_each(|set| raise(bits, *set));
                }
            }
            Self::Each(sets) => {
                sets.iter().enumerate().filter(|(_, s)| s.matches(name)).for_each(|(set, _)| raise(bits, set));
            }
        }
    }
}

fn raise(bits: &mut [u64], i: usize) {
    if let Some(word) = bits.get_mut(i / 64) {
        *word |= 1 << (i % 64);
    }
}

impl Facts {
    fn membership(&self) -> &Membership {
        self.lazy.membership.get_or_init(|| Membership::of(self))
    }

    /// The index of a set among those requested by rules.
    #[must_use]
    pub fn set_place(&self, set: &MethodSet) -> Option<usize> {
        self.methods.iter().position(|s| s == set)
    }

    /// The number of method sets requested by rules.
    #[must_use]
    pub fn set_count(&self) -> usize {
        self.methods.len()
    }

    /// The number of words that [`sets_on`](Self::sets_on) fills.
    #[must_use]
    pub fn set_words(&self) -> usize {
        self.methods.len().div_ceil(64)
    }

    /// Which sets have a method on a stack within their scope, one bit per set, in the order of the sets.
    /// Examines all sets in one walk.
    pub fn sets_on(&self, stack: StackId, found: &mut [u64]) {
        let membership = self.membership();
        found.fill(0);
        let (mut buffer, mut many);
        // Sets to which control still belongs, walking from the leaf. Control leaves a set at a method of the
        // program that is not in the set, or at a method that was called reflectively.
        let alive: &mut [u64] = if found.len() <= 1 {
            buffer = [u64::MAX];
            &mut buffer
        } else {
            many = vec![u64::MAX; found.len()];
            &mut many
        };
        let mut called: Option<FunctionId> = None;
        for frame in self.frames(stack) {
            let function = self.function_of(*frame);
            let callee = called.replace(function);
            let member = membership.members.get(function.index()).copied().unwrap_or_default();
            // Most methods are in no set.
            match member.kind {
                Kind::Jdk if !member.of_any => continue,
                Kind::Program if !member.of_any => {
                    alive.fill(0);
                    continue;
                }
                _ => {}
            }
            let of = membership.of_function(function);
            let stay = match member.kind {
                Kind::Program => Some(of),
                Kind::PassesOn => callee.map(|callee| membership.of_function(callee)),
                Kind::Jdk => None,
            };
            if let Some(stay) = stay {
                alive.iter_mut().zip(stay).for_each(|(alive, stay)| *alive &= stay);
            }
            for ((found, alive), (of, direct)) in
                found.iter_mut().zip(alive.iter()).zip(of.iter().zip(&membership.direct))
            {
                *found |= of & (*alive | !direct);
            }
        }
    }

    /// Whether a stack contains a method of a set, within the set's [`Scope`]. The rule must have requested the
    /// set with [`Needs::methods`](crate::events::Needs::methods).
    #[must_use]
    pub fn passes(&self, set: &MethodSet, stack: StackId) -> bool {
        let Some(place) = self.set_place(set) else {
            debug_assert!(false, "the rule does not declare the set of methods {:?}", set.patterns());
            return false;
        };
        let mut found = vec![0; self.set_words()];
        self.sets_on(stack, &mut found);
        found.get(place / 64).is_some_and(|word| word & (1 << (place % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::events::Facts;
    use crate::events::{GroupBy, MethodSet, Needs, Scope};
    use crate::rule::{Rule, RuleInfo, Settings, Verdict};
    use crate::testing::Scene;
    use crate::testing::stack;

    /// A rule that reports whether one method set is on the only stack.
    struct On(MethodSet);

    const STACKS: GroupBy = GroupBy::of(&["x.E"]).by(&["stackTrace"]);

    impl Rule for On {
        fn info(&self) -> RuleInfo {
            RuleInfo::own("On")
        }

        fn needs(&self) -> Needs {
            // A second set.
            Needs::new().groups(STACKS).methods(MethodSet::new(["other"]).unwrap()).methods(self.0.clone())
        }

        fn evaluate(&self, facts: &Facts, _: &Settings) -> Verdict {
            let stack = facts.groups(&STACKS).iter().next().and_then(|g| g.stack("stackTrace")).unwrap();
            Verdict::ok(if facts.passes(&self.0, stack) { "on it" } else { "not on it" })
        }
    }

    fn is_on(methods: &[&str], pattern: &str, scope: Scope) -> bool {
        let scene = Scene::new().event("x.E", 0, 0, [("stackTrace", stack(methods))]);
        scene.judge(&On(MethodSet::new([pattern]).unwrap().scope(scope))).summary == "on it"
    }

    #[test]
    fn the_scope_limits_the_depth_in_the_stack() {
        let below = ["a.Own.run", "lib.L.call", "a.Own.main"];
        assert!(is_on(&below, "lib", Scope::Anywhere) && !is_on(&below, "lib", Scope::Direct));
        let through_jdk = ["java.util.HashMap.get", "lib.L.call", "a.Own.main"];
        assert!(is_on(&through_jdk, "lib", Scope::Direct));
        let within = ["lib.M.run", "lib.L.call", "a.Own.main"];
        assert!(is_on(&within, "lib", Scope::Direct) && !is_on(&within, "lib.L", Scope::Direct));
        let told_to = ["java.util.HashMap.get", "java.lang.reflect.Method.invoke", "lib.L.call", "a.Own.main"];
        assert!(is_on(&told_to, "lib", Scope::Anywhere) && !is_on(&told_to, "lib", Scope::Direct));
        assert!(!is_on(&told_to, "java.lang.reflect", Scope::Direct));
        assert!(is_on(&["java.lang.reflect.Method.invoke", "a.Own.main"], "java.lang.reflect", Scope::Direct));
        assert!(!is_on(&below, "com", Scope::Anywhere));
    }
}

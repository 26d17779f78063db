//! Trees of random profiles: totals are correct at every node, in every view.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

/// A sample: a path, a thread, a value.
type Row = (Vec<u8>, u8, i64);

fn stacks(rows: &[Row]) -> CallStacks {
    let mut stacks = CallStacks::new(vec![SampleType::new("samples", "count"), SampleType::new("cpu", "nanoseconds")]);
    stacks.seconds = 10.0;
    for (path, thread, value) in rows {
        let frames: Vec<u32> = path
            .iter()
            .map(|f| {
                let name = if *f < 3 { format!("java.util.F{f}.run") } else { format!("app.C{}.m{f}", f % 4) };
                stacks.frame(&name, FrameKind::Java, u32::from(*f) * 10)
            })
            .collect();
        let labels = [("thread".into(), LabelText::Text(format!("worker-{thread}").into()))];
        stacks.add(&frames, &labels, &[1, *value]);
    }
    stacks
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((prop::collection::vec(0u8..9, 0..12), 0u8..3, 1i64..1000), 0..60)
}

fn tree(stacks: &CallStacks, view: &View) -> Tree {
    Tree::new(stacks, 1, view, &Cancel::never()).unwrap()
}

fn check(tree: &Tree) {
    let ends = tree.ends();
    let parents = tree.parents();
    for node in 0..tree.len() {
        let mut sum = tree.own[node];
        let mut child = node + 1;
        let mut before = i64::MAX;
        while child < ends[node] {
            assert_eq!(parents[child], node);
            assert!(tree.total[child] <= before, "siblings by total");
            before = tree.total[child];
            sum += tree.total[child];
            child = ends[child];
        }
        assert_eq!(sum, tree.total[node], "node {node}");
    }
    let addresses = tree.addresses();
    for node in (0..tree.len()).step_by(7) {
        assert_eq!(tree.at(addresses[node]), Some(node));
    }
}

proptest! {
    #[test]
    fn totals_are_correct_in_every_view(rows in rows()) {
        let stacks = stacks(&rows);
        let all: i64 = rows.iter().map(|row| row.2).sum();
        let views = [
            View::default(),
            View { group: Some(Group::Thread), ..View::default() },
            View { collapse_recursion: true, ..View::default() },
            View { library: vec!["java.".into()], ..View::default() },
            View { hide: Some(Pattern::new("C1").unwrap()), ..View::default() },
            View { lines: true, ..View::default() },
        ];
        for view in &views {
            let flame = tree(&stacks, view);
            check(&flame);
            prop_assert_eq!(flame.total[0], all);
            let callers = Tree::callers(&stacks, 1, view, &Cancel::never()).unwrap();
            check(&callers);
            prop_assert_eq!(callers.total[0], all);
        }
        // The stacks with a frame and those without it add up to all stacks.
        let with = View { include: vec![Pattern::new("m5").unwrap()], ..View::default() };
        let without = View { exclude: Some(Pattern::new("m5").unwrap()), ..View::default() };
        let (with, without) = (tree(&stacks, &with), tree(&stacks, &without));
        prop_assert_eq!(with.total[0] + without.total[0], all);
        // Each pattern must match: the second filters what the first leaves.
        let both = View { include: vec![Pattern::new("m5").unwrap(), Pattern::new("m3").unwrap()], ..View::default() };
        let one = View {
            include: vec![Pattern::new("m5").unwrap()],
            exclude: Some(Pattern::new("m3").unwrap()),
            ..View::default()
        };
        prop_assert_eq!(tree(&stacks, &both).total[0] + tree(&stacks, &one).total[0], with.total[0]);
        prop_assert_eq!(tree(&stacks, &View::default()).search(&Pattern::search("M5").unwrap()).value, with.total[0]);
    }

    #[test]
    fn a_function_counts_once_in_a_stack(rows in rows()) {
        let stacks = stacks(&rows);
        let view = View::default();
        let never = Cancel::never();
        let functions = table(&stacks, 1, &view, &By::Function, &never).unwrap();
        prop_assert_eq!(functions.rows.iter().map(|row| row.own).sum::<i64>(), functions.total);
        for row in &functions.rows {
            prop_assert!(row.total <= functions.total && row.own <= row.total);
            let sandwich = Tree::sandwich(&stacks, 1, &view, &row.key, &never).unwrap();
            check(&sandwich.callers);
            check(&sandwich.callees);
            prop_assert_eq!(sandwich.callers.total[0], row.total);
            prop_assert_eq!(sandwich.callees.total[0], row.total);
        }
        for by in [By::Line, By::Package, By::Class, By::Label(Group::Thread)] {
            let rows = table(&stacks, 1, &view, &by, &never).unwrap();
            prop_assert_eq!(rows.total, functions.total);
            prop_assert_eq!(rows.rows.iter().map(|row| row.own).sum::<i64>(), rows.total);
        }
    }

    #[test]
    fn merging_commutes_and_a_profile_does_not_differ_from_itself(a in rows(), b in rows()) {
        let never = Cancel::never();
        let (a, b) = (stacks(&a), stacks(&b));
        let (ab, ba) = (merge([&a, &b], &never).unwrap(), merge([&b, &a], &never).unwrap());
        let view = View { group: Some(Group::Thread), ..View::default() };
        let (one, other) = (tree(&ab, &view), tree(&ba, &view));
        prop_assert_eq!((&one.depth, &one.own, &one.total), (&other.depth, &other.own, &other.total));
        prop_assert_eq!(ab.totals(), ba.totals());
        prop_assert_eq!(ab.seconds, 20.0);
        let same = Diff::new((&a, 1), (&a, 1), &view, Per::Second, &never).unwrap();
        prop_assert!(same.noise.iter().all(|noise| *noise));
        prop_assert_eq!(&same.own_a, &same.own_b);
        let diff = Diff::new((&a, 1), (&b, 1), &view, Per::Share, &never).unwrap();
        prop_assert_eq!((diff.total_a[0], diff.total_b[0]), (a.totals()[1], b.totals()[1]));
        let json = diff.to_json(0.0);
        prop_assert_eq!(json.tree.own.iter().sum::<i64>(), a.totals()[1]);
        prop_assert_eq!(json.self_b.iter().sum::<i64>(), b.totals()[1]);
    }

    #[test]
    fn folded_trees_keep_their_totals(rows in rows(), min in 0.0..0.5f64) {
        let stacks = stacks(&rows);
        let flame = tree(&stacks, &View::default());
        let json = flame.to_json(None, min).unwrap();
        prop_assert_eq!(json.own.iter().sum::<i64>(), flame.total[0]);
        let all = flame.to_json(None, 0.0).unwrap();
        prop_assert_eq!(all.folded, Folded::default());
        prop_assert_eq!(all.own, flame.own.clone());
        for node in (1..flame.len()).step_by(5) {
            let part = flame.to_json(Some(flame.addresses()[node]), min).unwrap();
            prop_assert_eq!(part.own.iter().sum::<i64>(), flame.total[node]);
        }
    }
}

/// The page's TypeScript computes the same values.
#[test]
fn addresses_match_the_page() {
    assert_eq!(ROOT.to_string(), "cbf29ce484222325");
    assert_eq!(ROOT.child("a").child("b"), Address::parse(&ROOT.child("a").child("b").to_string()).unwrap());
    // FNV-1a of "a" is af63dc4c8601ec8c; one more step for the zero byte.
    assert_eq!(ROOT.child("a").0, 0xaf63_dc4c_8601_ec8c_u64.wrapping_mul(0x0100_0000_01b3));
}

#[test]
fn a_stack_of_ten_thousand_frames_is_fine() {
    let mut stacks = CallStacks::new(vec![SampleType::new("cpu", "nanoseconds")]);
    let frame = stacks.frame("deep.Deep.down", FrameKind::Java, 0);
    stacks.add(&vec![frame; 10_000], &[], &[7]);
    let tree = Tree::new(&stacks, 0, &View::default(), &Cancel::never()).unwrap();
    assert_eq!((tree.len(), tree.total[0]), (10_001, 7));
    assert_eq!(tree.to_json(None, 0.0).unwrap().depth.len(), 10_001);
    let flat = View { collapse_recursion: true, ..View::default() };
    assert_eq!(Tree::new(&stacks, 0, &flat, &Cancel::never()).unwrap().len(), 2);
}

#[test]
fn names_of_packages_and_classes() {
    let mut stacks = CallStacks::new(vec![SampleType::new("cpu", "nanoseconds")]);
    for (name, kind) in [
        ("java.util.HashMap.get", FrameKind::Java),
        ("net/http.(*conn).serve", FrameKind::Go),
        ("github.com/acme/shop/cart.Total", FrameKind::Go),
        ("Main.main", FrameKind::Java),
        ("[no stack trace]", FrameKind::MadeUp),
    ] {
        let frame = stacks.frame(name, kind, 0);
        stacks.add(&[frame], &[], &[1]);
    }
    let keys = |by: By| {
        let rows = table(&stacks, 0, &View::default(), &by, &Cancel::never()).unwrap().rows;
        rows.into_iter().map(|row| row.key.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        keys(By::Package),
        ["(default)", "[no stack trace]", "github.com/acme/shop/cart", "java.util", "net/http"]
    );
    assert!(keys(By::Class).contains(&"java.util.HashMap".to_owned()));
}

#[test]
fn waiting_is_attributed_to_code_of_the_program() {
    let of = |value: &str, by: By| {
        let mut stacks = CallStacks::new(vec![SampleType::new(value, "nanoseconds")]);
        let locked =
            [("shop.Main.main", 3), ("shop.Prices.update", 17), ("java.util.concurrent.locks.ReentrantLock.lock", 9)];
        let idle = [("java.lang.Thread.run", 5), ("java.util.concurrent.LinkedBlockingQueue.take", 8)];
        for (stack, nanos) in [(&locked[..], 70), (&idle[..], 30)] {
            let park = [("java.util.concurrent.locks.LockSupport.park", 2), ("jdk.internal.misc.Unsafe.park", 0)];
            let frames: Vec<u32> =
                stack.iter().chain(&park).map(|(name, line)| stacks.frame(name, FrameKind::Java, *line)).collect();
            stacks.add(&frames, &[], &[nanos]);
        }
        let rows = table(&stacks, 0, &View::default(), &by, &Cancel::never()).unwrap().rows;
        let own = rows.into_iter().filter(|row| row.own != 0);
        own.map(|row| (row.key.into_string(), row.own)).collect::<Vec<_>>()
    };
    let places =
        [("shop.Prices.update:17".to_owned(), 70), ("java.util.concurrent.LinkedBlockingQueue.take:8".to_owned(), 30)];
    assert_eq!(of("lock-time", By::Line), places);
    assert_eq!(of("park-count", By::Line), places);
    assert_eq!(of("lock-time", By::Package), [("shop".to_owned(), 70), ("java.util.concurrent".to_owned(), 30)]);
    // The leaf of a CPU sample is where the time goes, and a method is measured as in the flame graph.
    assert_eq!(of("cpu-time", By::Line), [("jdk.internal.misc.Unsafe.park".to_owned(), 100)]);
    assert_eq!(of("lock-time", By::Function), [("jdk.internal.misc.Unsafe.park".to_owned(), 100)]);
}

#[test]
fn different_sample_types_are_not_merged_and_patterns_are_checked() {
    let cpu = CallStacks::new(vec![SampleType::new("cpu", "nanoseconds")]);
    let alloc = CallStacks::new(vec![SampleType::new("alloc", "bytes")]);
    let error = merge([&cpu, &alloc], &Cancel::never()).unwrap_err();
    assert_eq!(error.to_string(), "the profiles measure different things: cpu/nanoseconds and alloc/bytes");
    assert!(matches!(Pattern::new("("), Err(TreeError::BadPattern { .. })));
    assert!(matches!(Pattern::new("(a{1000}){1000}"), Err(TreeError::BadPattern { .. })));
    assert_eq!(
        Tree::new(&cpu, 1, &View::default(), &Cancel::never()),
        Err(TreeError::NoSuchValue { value: 1, values: 1 })
    );
    let canceled = Cancel::when(|| true);
    let mut busy = cpu.clone();
    let frame = busy.frame("a", FrameKind::Go, 0);
    busy.add(&[frame], &[], &[1]);
    assert_eq!(Tree::new(&busy, 0, &View::default(), &canceled), Err(TreeError::Canceled));
}

#[test]
fn an_exact_pattern_matches_only_the_whole_text() {
    let pattern = Pattern::exactly("a.B$C.<init>").unwrap();
    assert!(pattern.matches("a.B$C.<init>"));
    for other in ["a.B$C.<init>2", "x.a.B$C.<init>", "a_B$C.<init>", "a.B$C.<init>\n", ""] {
        assert!(!pattern.matches(other), "{other:?}");
    }
}

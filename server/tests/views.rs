//! SELECTION and VIEW in the API: the meaning of the parameters.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "common/mod.rs"]
mod common;

use common::*;

const TYPES: [(&str, &str); 2] = [("samples", "count"), ("cpu", "nanoseconds")];

#[test]
fn several_patterns_narrow_or_widen_as_a_reader_expects() {
    let running = Running::new();
    let stacks = pprof(
        &TYPES,
        &[(&["c", "b", "a"], &[1, 100], "t1"), (&["d", "b", "a"], &[1, 20], "t2"), (&["c", "e", "a"], &[1, 3], "t2")],
        "main.go",
    );
    let id = running.post("/api/v1/recordings?service=s", "", &stacks).id();
    running.ready(&id);
    let total = |view: &str| {
        let tree = running.json(&format!("/api/v1/flame?profile={id}&type=cpu&{view}"));
        let table = running.json(&format!("/api/v1/table?profile={id}&type=cpu&{view}"));
        assert_eq!(tree["total"], table["total"], "{view}");
        tree["total"].as_i64().unwrap()
    };
    assert_eq!(total(""), 123);
    assert_eq!(total("include=%5Eb%24"), 120);
    // Stacks that contain both, not either.
    assert_eq!(total("include=%5Eb%24&include=%5Ec%24"), 100);
    assert_eq!(total("include=%5Eb%24&include=%5Ec%24&include=%5Ee%24"), 0);
    // Stacks that contain neither.
    assert_eq!(total("exclude=%5Ed%24&exclude=%5Ee%24"), 100);
    assert_eq!(total("thread=t2"), 23);
    // Hidden frames leave their value to the caller.
    let hidden = running.json(&format!("/api/v1/table?profile={id}&type=cpu&hide=%5Ec%24&hide=%5Ed%24"));
    assert_eq!(hidden["total"], 123);
    let row = hidden["rows"].as_array().unwrap().iter().find(|r| r["key"] == "b").unwrap();
    assert_eq!(row["self"], 120);
    let many = "include=a&".repeat(40);
    assert_eq!(running.get(&format!("/api/v1/flame?profile={id}&type=cpu&{many}")).status, 400);
    assert_eq!(running.get(&format!("/api/v1/flame?profile={id}&type=cpu&include=(")).status, 400);
}

#[test]
fn any_label_can_be_grouped_by() {
    let running = Running::new();
    let labeled = |key: &str, value: &str| {
        use pprof_emit::pb;
        use prost::Message;
        let mut profile = pb::Profile::decode(&*pprof(&TYPES, &[(&["b", "a"], &[1, 7], "t1")], "main.go")).unwrap();
        let mut add = |text: &str| {
            profile.string_table.push(text.to_owned());
            i64::try_from(profile.string_table.len() - 1).unwrap()
        };
        let labels = [(add(key), add(value)), (add("span id"), add("8812"))];
        profile.sample[0].label.extend(labels.map(|(key, str)| pb::Label { key, str, ..Default::default() }));
        profile.encode_to_vec()
    };
    let ids: Vec<String> = [("region", "eu"), ("region", "us")]
        .iter()
        .map(|(key, value)| {
            let id = running.post("/api/v1/recordings?service=s", "", &labeled(key, value)).id();
            running.ready(&id);
            id
        })
        .collect();
    let both = format!("profile={}&profile={}&type=cpu", ids[0], ids[1]);
    let tree = running.json(&format!("/api/v1/flame?{both}&group=label:region"));
    assert!(tree["labels"].as_array().unwrap().iter().any(|key| key == "region"), "{}", tree["labels"]);
    let names: Vec<&str> = tree["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert!(names.contains(&"eu") && names.contains(&"us"), "{names:?}");
    let rows = running.json(&format!("/api/v1/table?{both}&by=label:region&sort=key"));
    let rows: Vec<(&str, i64)> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["key"].as_str().unwrap(), r["total"].as_i64().unwrap()))
        .collect();
    assert_eq!(rows, [("eu", 7), ("us", 7)]);
    // Span ids would keep all samples apart, so only the received file has them.
    let spans = running.json(&format!("/api/v1/table?{both}&by=label:span%20id"));
    assert_eq!(spans["rows"].as_array().unwrap().len(), 1, "{spans}");
    assert_eq!(spans["rows"][0]["key"], "[none]");
    assert_eq!(running.get(&format!("/api/v1/flame?{both}&group=label:")).status, 400);
}

#[test]
fn values_per_request_need_endpoints_and_their_counts() {
    let running = Running::new();
    let mut event: serde_json::Value =
        serde_json::from_slice(&event("web", "go", &["cpu.pprof"], "2026-11-26T20:50:10Z", "2026-11-26T20:51:10Z", ""))
            .unwrap();
    let send = |event: &serde_json::Value| {
        let cpu = pprof(&TYPES, &[(&["b", "a"], &[1, 7], "t1")], "main.go");
        let parts = form(&[
            ("event", Some("event.json"), event.to_string().as_bytes()),
            ("cpu.pprof", Some("cpu.pprof"), &cpu),
        ]);
        let id = running.post("/profiling/v1/input", FORM, &parts).id();
        running.ready(&id);
        id
    };
    let without = send(&event);
    event["endpoint_counts"] = serde_json::json!({"GET /order": 12, "GET /": 3});
    event["start"] = "2026-11-26T20:52:10Z".into();
    event["end"] = "2026-11-26T20:53:10Z".into();
    let with = send(&event);
    let path = |id: &str, more: &str| format!("/api/v1/flame?profile={id}&type=cpu&per=request{more}");
    let tree = running.json(&path(&with, "&group=endpoint"));
    assert_eq!(tree["per"], "request");
    assert_eq!(tree["requests"], serde_json::json!({"GET /order": 12, "GET /": 3}));
    let table = running.json(&format!("/api/v1/table?profile={with}&type=cpu&per=request&by=endpoint"));
    assert_eq!(table["requests"]["GET /order"], 12);
    for (answer, word) in [
        (running.get(&path(&with, "")), "group=endpoint"),
        (running.get(&path(&without, "&group=endpoint")), "did not send"),
        (running.get(&format!("/api/v1/table?profile={with}&type=cpu&per=week")), "per: expected"),
    ] {
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains(word), "{}", answer.text());
    }
}

#[test]
fn part_of_a_recording_is_computed_while_the_recording_is_kept() {
    let running = Running::new();
    let id = running.post("/api/v1/recordings?service=s", "", &fixture("jdk17-profile.jfr.gz")).id();
    let profile = running.ready(&id);
    let kind = profile["types"].as_array().unwrap().iter().find(|t| t["absent"].is_null()).unwrap()["type"].clone();
    let kind = kind.as_str().unwrap();
    let total = |within: &str| {
        let answer = running.json(&format!("/api/v1/flame?profile={id}&type={kind}{within}"));
        (answer["total"].as_i64().unwrap(), answer["seconds"].as_f64().unwrap())
    };
    let (all, seconds) = total("");
    assert!(all > 0);
    // The whole time range in two parts; the instant between them belongs to the second.
    let (start, _) = running.server.as_ref().unwrap().span(&[jfrkit_server::Id::parse(&id).unwrap()]);
    let length = std::time::Duration::from_secs_f64(seconds).as_millis();
    let middle = start + i64::try_from(length / 2).unwrap();
    let (first, length) = total(&format!("&within=2000-01-01T00:00:00Z,{middle}"));
    let (second, rest) = total(&format!("&within={middle},2100-01-01T00:00:00Z"));
    assert_eq!(first + second, all, "{start} {middle}");
    // Rates are per second of the recording, not of the range that was asked for.
    assert!((length + rest - seconds).abs() < 0.01 && length > 0.0, "{length} and {rest} of {seconds}");
    let caching = |within: &str| {
        let answer = running.get(&format!("/api/v1/flame?profile={id}&type={kind}&within={within}"));
        (answer.status, answer.head.contains("immutable"))
    };
    assert_eq!(caching("2000-01-01T00:00:00Z,2100-01-01T00:00:00Z"), (200, true));
    assert_eq!(caching("2000-01-01T00:00:00Z,now"), (200, false), "now changes");
    let none = running
        .get(&format!("/api/v1/flame?profile={id}&type={kind}&within=2000-01-01T00:00:00Z,2000-01-02T00:00:00Z"));
    assert_eq!(none.status, 404, "{}", none.text());
    assert!(none.text().contains("no samples in this time range"), "{}", none.text());
    for wrong in ["within=1", "within=2,1", "within=a,b"] {
        assert_eq!(running.get(&format!("/api/v1/flame?profile={id}&type={kind}&{wrong}")).status, 400, "{wrong}");
    }
    let other =
        running.post("/api/v1/recordings?service=go", "", &pprof(&TYPES, &[(&["a"], &[1, 7], "t")], "m.go")).id();
    running.ready(&other);
    let answer = running.get(&format!("/api/v1/flame?profile={other}&type=cpu&within=1,2"));
    assert_eq!((answer.status, answer.text().contains("recording")), (400, true), "{}", answer.text());
    let answer = running.get(&format!("/api/v1/flame?profile={other}&profile={id}&type=cpu&within=1,2"));
    assert_eq!((answer.status, answer.text().contains("one profile")), (400, true), "{}", answer.text());
}

#[test]
fn opened_files_may_decompress_further_than_uploads() {
    // One long string: 4 MB that compress to a few KB.
    let large = pprof(&TYPES, &[(&["b", "a"], &[1, 7], "t")], &"y".repeat(4 << 20));
    let packed = gzip(&large);
    assert!(large.len() / packed.len() > 100, "{} {}", large.len(), packed.len());
    let strangers = Running::new();
    let id = strangers.post("/api/v1/recordings?service=s", "", &packed).id();
    let profile = strangers.ready(&id);
    assert_eq!(profile["status"], "failed");
    assert!(profile["reason"].as_str().unwrap().contains("decompresses to more than"), "{profile}");
    let own = Running::with(|options| options.trusted = true);
    let id = own.post("/api/v1/recordings?service=s", "", &packed).id();
    assert_eq!(own.ready(&id)["status"], "ready");
}

#[test]
fn profiles_without_a_recording_are_analyzed_too() {
    let running = Running::new();
    let cpu = pprof(
        &TYPES,
        &[(&["hot", "main"], &[90, 5_400_000_000], "t"), (&["cold", "main"], &[10, 600_000_000], "t")],
        "m.go",
    );
    let mut last = String::new();
    for n in 0..8i64 {
        // Two minutes apart; the heap grows by a tenth each time.
        let heap = pprof(
            &[
                ("alloc_objects", "count"),
                ("alloc_space", "bytes"),
                ("inuse_objects", "count"),
                ("inuse_space", "bytes"),
            ],
            &[(&["hold", "main"], &[1, 100, 1, 100_000_000 + n * 10_000_000], "t")],
            "m.go",
        );
        let time = |second: i64| format!("2026-11-26T20:{:02}:{second:02}Z", 10 + 2 * n);
        let names = ["cpu.pprof", "delta-heap.pprof"];
        let event = event("leaky", "go", &names, &time(0), &time(59), "");
        let parts = form(&[
            ("cpu.pprof", Some("cpu.pprof"), &cpu),
            ("delta-heap.pprof", Some("delta-heap.pprof"), &heap),
            ("event", Some("event.json"), &event),
        ]);
        last = running.post("/profiling/v1/input", FORM, &parts).id();
        running.ready(&last);
    }
    let profile = running.ready(&last);
    assert_eq!(profile["analysis"]["status"], "ready", "{profile}");
    let report = running.json(&format!("/api/v1/profiles/{last}/analysis"));
    let findings: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
    assert_eq!(findings, ["ProfileHeapGrowth", "ProfileHotFunction"], "{report}");
    let summary = |id: &str| {
        let rules = report["rules"].as_array().unwrap();
        rules.iter().find(|r| r["id"] == id).unwrap()["summary"].as_str().unwrap().to_owned()
    };
    assert_eq!(summary("ProfileHotFunction"), "hot itself takes 90 % of CPU time");
    assert!(summary("ProfileHeapGrowth").contains("rises steadily"), "{}", summary("ProfileHeapGrowth"));
    assert!(summary("ProfileExceptionRate").starts_with("Not applicable"));
    // The search finds and counts them.
    assert_eq!(running.json("/api/v1/profiles?from=0&q=rule:ProfileHotFunction")["total"], 8);
    let row = running.json("/api/v1/profiles?from=0&limit=1")["rows"][0].clone();
    assert!(row["findings"]["warning"].as_u64().unwrap() >= 1, "{row}");
}

#[test]
fn rule_settings_apply_to_profiles_without_a_recording() {
    let cpu = pprof(
        &[("samples", "count"), ("cpu", "nanoseconds")],
        &[(&["hot", "main"], &[90, 9_000_000_000], "t"), (&["main"], &[10, 1_000_000_000], "t")],
        "m.go",
    );
    let severity = |rules: &str| {
        let rules = rules.to_owned();
        let running = Running::with(|o| o.rules = Some(rules));
        let id = running.post("/api/v1/recordings?service=a", "", &cpu).id();
        running.ready(&id);
        let report = running.json(&format!("/api/v1/profiles/{id}/analysis"));
        let rules = report["rules"].as_array().unwrap();
        rules.iter().find(|r| r["id"] == "ProfileHotFunction").map(|r| r["severity"].as_str().unwrap().to_owned())
    };
    assert_eq!(severity("").as_deref(), Some("info"));
    let raised = "[rules.ProfileHotFunction]\ninfo = \"95 %\"\nwarning = \"99 %\"";
    assert_eq!(severity(raised).as_deref(), Some("ok"));
    assert_eq!(severity("[rules.ProfileHotFunction]\nenabled = false"), None);
}

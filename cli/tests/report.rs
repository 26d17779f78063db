//! `report`: one page with everything. `web/test/pages.mjs` checks it in a browser.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::process::Output;

use common::{arguments, demo, fixture, jfrkit, run, shown};
use insta::assert_snapshot;

fn report(input: &Path, more: &[&str], page: &Path) -> Output {
    let mut command = jfrkit(&arguments!["report", input, "-o", page]);
    command.args(more).output().unwrap()
}

/// The data in the page.
fn data(page: &Path) -> serde_json::Value {
    let html = std::fs::read_to_string(page).unwrap();
    let (_, rest) = html.split_once("id=\"jfrkit-page\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn names(of: &serde_json::Value) -> Vec<&str> {
    of.as_array().unwrap().iter().map(|t| t["type"].as_str().unwrap()).collect()
}

#[test]
fn the_page_contains_every_tab_and_no_external_address() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    let output = report(&fixture("jdk17-full.jfr"), &[], &page);
    assert_snapshot!(shown(&output), @r"
    TEMP/page.html
    jfrkit: note: 122 nodes below 0.01 % are folded, at most 0.03 % of a type; totals and tables are exact
    ");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("default-src 'none'; script-src 'sha256-"));
    assert!(!html.contains("src=\"") && !html.contains("<link"));
    let data = data(&page);
    let profile = &data["profiles"][0];
    for part in ["analysis", "metrics", "runtime"] {
        let block = profile[part].as_str().unwrap();
        assert!(html.contains(&format!("id=\"{block}\"")), "the block of {part}");
    }
    let types = profile["detail"]["types"].as_array().unwrap();
    let cpu = types.iter().find(|t| t["type"] == "cpu").unwrap();
    assert_eq!(cpu["values"][1]["total"], 8_396_000_000_i64);
    assert!(html.contains(&format!("id=\"{}\"", cpu["values"][1]["tree"].as_str().unwrap())));
}

#[test]
fn types_are_chosen_and_a_size_that_cannot_be_met_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    let input = fixture("jdk17-full.jfr");
    assert!(report(&input, &["--types", "cpu,lock"], &page).status.success());
    assert_eq!(names(&data(&page)["profiles"][0]["detail"]["types"]), ["cpu", "lock"]);
    let small = dir.path().join("small.html");
    // The smallest page has the bundle, whose size changes.
    let refused = shown(&report(&input, &["--max-size", "100kB"], &small));
    let refused = regex::Regex::new("has [0-9]+ bytes").unwrap().replace(&refused, "has N bytes").into_owned();
    assert_snapshot!(refused, @r"
    jfrkit: error: the page has N bytes with all but the largest subtrees folded, more than the 100000 allowed; choose fewer inputs or types, or a larger --max-size
    exit status 1
    ");
    assert!(!small.exists(), "nothing is left of it");
    assert_snapshot!(shown(&report(&input, &["--max-size", "large"], &page)), @r"
    jfrkit: error: invalid value 'large' for '--max-size <SIZE>': expected a size such as 10MB; see --help
    exit status 2
    ");
}

#[test]
fn a_smaller_page_folds_more_and_reports_it_with_the_same_totals() {
    let dir = tempfile::tempdir().unwrap();
    let (page, small) = (dir.path().join("page.html"), dir.path().join("small.html"));
    let input = fixture("jdk17-full.jfr");
    assert!(report(&input, &[], &page).status.success());
    let bytes = std::fs::metadata(&page).unwrap().len();
    let most = (bytes - bytes / 50).to_string();
    let folded = report(&input, &["--max-size", &most], &small);
    assert!(folded.status.success());
    let numbers = regex::Regex::new("[0-9.,]*[0-9]").unwrap();
    assert_snapshot!(numbers.replace_all(&shown(&folded), "N"), @r"
    TEMP/small.html
    jfrkit: note: N nodes below N % are folded, at most N % of a type; totals and tables are exact
    ");
    assert!(std::fs::metadata(&small).unwrap().len() <= most.parse::<u64>().unwrap());
    let totals = |page: &Path| {
        let data = data(page);
        let types = data["profiles"][0]["detail"]["types"].as_array().unwrap().clone();
        types
            .iter()
            .flat_map(|t| t["values"].as_array().unwrap().clone())
            .map(|v| v["total"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(totals(&page), totals(&small));
    let nodes = |page: &Path| data(page).to_string().matches("\"folded\"").count();
    assert!(nodes(&small) >= nodes(&page) && nodes(&small) > 0);
}

#[test]
fn unreadable_inputs_are_listed_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let (bad, page) = (dir.path().join("bad.jfr"), dir.path().join("page.html"));
    std::fs::write(&bad, b"no recording").unwrap();
    assert_snapshot!(shown(&run!("report", fixture("jdk17-full.jfr"), &bad, "-o", &page)), @r#"
    TEMP/page.html
    jfrkit: error: TEMP/bad.jfr: not a flight recording: found text ("no recor"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd
    jfrkit: note: 122 nodes below 0.01 % are folded, at most 0.03 % of a type; totals and tables are exact
    exit status 1
    "#);
    let data = data(&page);
    assert_eq!(data["profiles"][0]["row"]["status"], "ready");
    assert_eq!(data["profiles"][1]["row"]["status"], "failed");
    assert_snapshot!(data["profiles"][1]["detail"]["reason"].as_str().unwrap(), @r#"not a flight recording: found text ("no recor"…) at offset 0; expected a .jfr file, optionally compressed with gzip, zip, LZ4 or zstd"#);
}

#[test]
fn python_and_go_have_pages() {
    let dir = tempfile::tempdir().unwrap();
    for (file, language, first) in [("python.pprof.zst", "Python", "cpu"), ("go-cpu.pprof.gz", "Go", "cpu")] {
        let page = dir.path().join("page.html");
        assert!(report(&demo(file), &[], &page).status.success());
        let data = data(&page);
        let profile = &data["profiles"][0];
        assert_eq!(profile["row"]["language"], language);
        assert_eq!(names(&profile["detail"]["types"])[0], first);
        // Findings of the rules that need no JVM.
        assert!(profile["no_analysis"].is_null() && !profile["analysis"].is_null(), "{profile}");
    }
}

#[test]
fn analyze_makes_the_same_page() {
    let dir = tempfile::tempdir().unwrap();
    let (page, other) = (dir.path().join("page.html"), dir.path().join("other.html"));
    let input = fixture("jdk17-full.jfr");
    assert!(report(&input, &[], &page).status.success());
    let analyzed = jfrkit(&arguments!["analyze", "--format", "html", "-o", &other, &input]).output().unwrap();
    assert!(analyzed.status.success() && analyzed.stderr.is_empty());
    assert!(std::fs::read(&page).unwrap() == std::fs::read(&other).unwrap());
}

/// The content of a compressed block of a page.
#[cfg(feature = "serve")]
fn block(page: &Path, id: &str) -> String {
    use std::io::Read as _;
    let html = std::fs::read_to_string(page).unwrap();
    let (_, rest) = html.split_once(&format!("<script type=\"application/gzip\" id=\"{id}\">")).unwrap();
    let text = rest.split_once("</script>").unwrap().0;
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut packed, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in text.trim_end_matches('=').chars().map(|c| u32::try_from(digits.find(c).unwrap()).unwrap()) {
        bits = (bits << 6 | digit) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            packed.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).unwrap();
    serde_json::from_str(&unpacked).unwrap()
}

/// The response to a request.
#[cfg(feature = "serve")]
fn ask(address: &str, head: &str, body: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!("{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{head}{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[cfg(feature = "serve")]
#[test]
fn the_server_shows_the_same_runtime_information_for_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let mut options = jfrkit_server::Options::default();
    options.dir = dir.path().join("data");
    options.listen = vec!["127.0.0.1:0".to_owned()];
    options.min_free = Some(0);
    let server = jfrkit_server::Server::start(options, false).unwrap();
    let address = server.urls()[0].trim_start_matches("http://").to_owned();
    for (language, file, expected) in [
        ("Java", fixture("jdk17-full.jfr"), "OpenJDK"),
        ("Python", root.join("../server/demo/python.pprof.zst"), "exception-samples"),
        ("Go", root.join("../server/demo/go-cpu.pprof.gz"), "10 ms of cpu"),
        ("Node.js", root.join("tests/node/wall.pprof.gz"), "route"),
    ] {
        let page = dir.path().join("page.html");
        assert!(report(&file, &[], &page).status.success());
        let own = block(&page, data(&page)["profiles"][0]["runtime"].as_str().unwrap());
        let sent = ask(&address, "POST /api/v1/recordings?wait=25s&tag=team:shop", &std::fs::read(&file).unwrap());
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        let shown = ask(&address, &format!("GET /api/v1/profiles/{}/runtime", sent["id"].as_str().unwrap()), b"");
        assert!(own.contains(expected), "{language}: {own}");
        // Tags and the request are the server's.
        for section in own.split("\n\n").map(str::trim_end) {
            assert!(shown.contains(section), "{language}: {section}\nis not in\n{shown}");
        }
        assert!(shown.contains("  team  shop\n"), "{language}: {shown}");
    }
    server.stop();
}

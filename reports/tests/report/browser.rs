//! The page in a real browser, where one is found: `JFRKIT_CHROMIUM`, or `chromium`, `chromium-browser`, `google-chrome`.

use std::path::Path;
use std::process::Command;

use jfr_analyzers::rule::Severity;
use jfrkit_reports::{Entry, Format};

use super::{all_entries, fixture, fixtures, hostile_entries, written};

/// Measures of the page: what no test of its text can tell.
const AUDIT: &str = include_str!("audit.js");

fn browser() -> Option<String> {
    let named = std::env::var("JFRKIT_CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(str::to_owned);
    let found = named.into_iter().chain(usual).find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        eprintln!("skipped: there is no browser; JFRKIT_CHROMIUM can name one");
    }
    found
}

/// The elements that the browser makes of a page, and what it complains about.
fn open(browser: &str, page: &Path, arguments: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"])
        .args(["--disable-component-update", "--disable-extensions", "--disable-dev-shm-usage"])
        // Whatever it asks for is not there.
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let console: Vec<&str> = errors.lines().filter(|line| line.contains("CONSOLE")).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console.join("\n"))
}

/// A page as it is: what a browser makes of it.
fn seen(browser: &str, page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    std::fs::write(&path, page).unwrap();
    let (dom, console) = open(browser, &path, &[]);
    // A load that the page's own policy forbids is told there.
    assert_eq!(console, "");
    assert!(dom.contains("</html>"), "{dom}");
    dom
}

/// A page with the measures taken in a window that is so wide, light or dark. The policy that forbids scripts is taken
/// out for that.
fn audited(browser: &str, page: &str, width: u32, dark: bool) -> String {
    let start = page.find("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let end = start + page[start..].find('>').unwrap() + 1;
    let page = format!("{}{}", &page[..start], &page[end..]);
    let page = page.replace("</body>", &format!("<script>{AUDIT}</script></body>"));
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("report.html");
    std::fs::write(&inner, page).unwrap();
    let scheme = format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 });
    let (dom, _) = open(browser, &inner, &[&format!("--window-size={width},1000"), &scheme]);
    dom
}

fn attribute<'d>(dom: &'d str, name: &str) -> &'d str {
    let value = dom.split_once(&format!(" data-{name}=\"")).map(|(_, rest)| rest.split('"').next().unwrap());
    value.unwrap_or_else(|| panic!("no {name}: {}", dom.get(..500).unwrap_or(dom)))
}

#[test]
fn it_shows_every_finding_without_complaint() {
    let Some(browser) = browser() else { return };
    let report = fixture("jdk17-full");
    let dom = seen(&browser, &written(Format::Html, &[Entry::new("rec.jfr", report)]));
    assert_eq!(dom.matches("<details class=\"finding").count(), report.worst_first(Severity::Info).len());
    assert!(dom.contains("<svg"));
    let dom = seen(&browser, &written(Format::Html, &all_entries()));
    assert_eq!(dom.matches("<details class=\"recording\"").count(), fixtures().len() + 1);
}

#[test]
fn names_become_no_elements() {
    let Some(browser) = browser() else { return };
    let dom = seen(&browser, &written(Format::Html, &hostile_entries()));
    for bad in ["<script", "<img", "<testcase", "<input", "<!--"] {
        assert!(!dom.contains(bad), "{bad}");
    }
    assert_eq!(dom.matches("<style").count(), 1);
    assert!(dom.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn it_reads_well_wide_and_narrow_light_and_dark() {
    let Some(browser) = browser() else { return };
    let pages = [
        ("one", written(Format::Html, &[Entry::new("rec.jfr", fixture("jdk17-full"))]), &[1200, 500][..]),
        ("no findings", written(Format::Html, &[Entry::new("rec.jfr", fixture("healthy"))]), &[1200]),
        ("several", written(Format::Html, &all_entries()[fixtures().len() - 4..]), &[500]),
        ("hostile", written(Format::Html, &hostile_entries()[..2]), &[500]),
    ];
    for (name, page, widths) in pages {
        for (width, dark) in widths.iter().flat_map(|width| [(*width, false), (*width, true)]) {
            let dom = audited(&browser, &page, width, dark);
            let of = format!("{name}, {width} wide, dark: {dark}");
            assert_eq!(attribute(&dom, "wrong"), "", "{of}");
            assert_eq!(attribute(&dom, "dark"), dark.to_string(), "{of}");
            assert_eq!(attribute(&dom, "width"), width.to_string(), "{of}");
            assert!(attribute(&dom, "texts").parse::<usize>().unwrap() > 20, "{of}");
            assert!(attribute(&dom, "used").parse::<usize>().unwrap() > 2, "{of}");
        }
    }
}

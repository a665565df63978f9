//! The house keeps its shape: floors, sizes, vectors, words.

use std::{
    fs,
    path::{Path, PathBuf},
};

use payhook::gateway::GATEWAYS;

/// Floors by top-level module. A module may use only lower floors, and itself.
const FLOORS: [(&str, u8); 14] = [
    ("limits", 0),
    ("model", 0),
    ("proto", 0),
    ("verify", 1),
    ("gateway", 2),
    ("accounts", 3),
    ("telemetry", 3),
    ("service", 4),
    ("config", 4),
    ("server", 5),
    ("tools", 6),
    ("lib", 7),
    ("main", 7),
    ("crate", 7),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the folder exists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|ext| ext == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), extension, &mut found);
    assert!(found.len() >= 3, "{folder} has files");
    found
}

fn floor(module: &str) -> u8 {
    let found = FLOORS.iter().find(|(name, _)| *name == module);
    found.unwrap_or_else(|| panic!("the module {module} has no floor")).1
}

#[test]
fn no_module_uses_a_floor_above_it() {
    for path in files("src", "rs") {
        let relative = path.strip_prefix(root().join("src")).expect("below src");
        let first = relative.components().next().expect("a part").as_os_str();
        let module = first.to_str().expect("UTF-8").trim_end_matches(".rs");
        let own = floor(module);
        for used in uses(&fs::read_to_string(&path).expect("source")) {
            if used == module {
                continue;
            }
            let other = floor(&used);
            assert!(other < own, "{}: uses {used} on floor {other}", relative.display());
        }
    }
}

/// The top-level modules that a source names after `crate::`.
fn uses(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(|line| format!("{line}\n"))
        .collect();
    for part in code.split("crate::").skip(1) {
        if let Some(list) = part.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut name = String::new();
            for character in list.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' | '\n' | ' ' if depth == 0 => name.clear(),
                    ':' if depth == 0 && !name.is_empty() => {
                        found.push(std::mem::take(&mut name));
                    }
                    other if depth == 0 && (other.is_alphanumeric() || other == '_') => {
                        name.push(other);
                    }
                    _ => {}
                }
            }
        } else {
            let name: String =
                part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(name);
        }
    }
    found.retain(|name| FLOORS.iter().any(|(module, _)| module == name));
    found
}

#[test]
fn the_scan_for_uses_sees_every_form() {
    let source = "use crate::{\n    model::{Event, Money},\n    verify::Check,\n};\nlet x = crate::limits::A;\n// crate::tools\n";
    assert_eq!(uses(source), ["model", "verify", "limits"]);
}

#[test]
fn no_file_is_longer_than_400_lines_and_no_function_than_70() {
    for folder in ["src", "tests"] {
        for path in files(folder, "rs") {
            let source = fs::read_to_string(&path).expect("source");
            let lines: Vec<_> = source.lines().collect();
            assert!(lines.len() <= 400, "{}: {} lines", path.display(), lines.len());
            for (start, line) in lines.iter().enumerate() {
                let indent = line.len() - line.trim_start().len();
                let opens = line.contains("fn ") && line.trim_end().ends_with('{');
                if !opens || line.trim_start().starts_with("//") {
                    continue;
                }
                let close = format!("{}}}", " ".repeat(indent));
                let length = lines[start..].iter().position(|other| **other == close);
                let length = length.unwrap_or(0);
                // A test that is a table may be long; production code may not.
                let max = if folder == "src" { 70 } else { 110 };
                assert!(length <= max, "{}:{} has {length} lines", path.display(), start + 1);
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in files("src", "rs") {
        let source = fs::read_to_string(&path).expect("source");
        assert!(source.starts_with("//! "), "{} begins with //!", path.display());
    }
}

#[test]
fn gateways_are_sorted_and_each_has_vectors_and_sources() {
    let names: Vec<_> = GATEWAYS.iter().map(|gateway| gateway.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    for gateway in GATEWAYS {
        let vectors = root().join(format!("tests/vectors/{}.jsonl", gateway.name));
        assert!(vectors.is_file(), "{} has vectors", gateway.name);
        assert!(!gateway.sources.is_empty(), "{} names its sources", gateway.name);
    }
}

#[test]
fn no_unfinished_work_is_marked_in_the_source() {
    let markers =
        ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "unimpl".to_owned() + "emented!("];
    for folder in ["src", "tests"] {
        for path in files(folder, "rs") {
            let source = fs::read_to_string(&path).expect("source");
            for marker in &markers {
                assert!(!source.contains(marker), "{}: {marker}", path.display());
            }
        }
    }
}

#[test]
fn no_switch_turns_verification_off() {
    let words = ["skip_verif", "allow_unsigned", "verify_signature: false", "secure_endpoint"];
    for path in files("src", "rs").into_iter().chain(files("proto", "proto")) {
        if path.ends_with("config/django.rs") {
            // Reads django-payments' settings, and refuses that switch by name.
            continue;
        }
        let source = fs::read_to_string(&path).expect("source");
        for word in words {
            assert!(!source.contains(word), "{}: {word}", path.display());
        }
    }
}

/// A page that names a test which is not there promises nothing.
#[test]
fn every_test_that_the_page_on_secrets_names_exists() {
    let page = fs::read_to_string(root().join("docs/secrets.md")).expect("the page exists");
    let mut sources = String::new();
    for folder in ["src", "tests"] {
        for path in files(folder, "rs") {
            sources += &fs::read_to_string(&path).expect("source");
        }
    }
    let spans = page.split('`').skip(1).step_by(2);
    let named: Vec<_> = spans.filter_map(|span| span.split_once("::")).collect();
    assert!(named.len() > 40, "{}", named.len());
    for (module, name) in named {
        let whole = name.strip_suffix('…');
        let there = match whole {
            Some(start) => sources.contains(&format!("fn {start}")) || start.is_empty(),
            None => sources.contains(&format!("fn {name}(")),
        };
        assert!(there, "{module}::{name}");
    }
}

//! The binary as its users run it: the demo of the README, and every exit code.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn run(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_payhook"))
        .args(arguments)
        .env_remove("PAYHOOK_CONFIG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A command that reads nothing closes its end: that is no failure of this test.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_readme_shows_the_demo_as_it_prints() {
    let output = run(&["demo"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.expect("README.md");
    let (_, shown) = readme.split_once("```text\n").expect("the demo's output");
    let (shown, _) = shown.split_once("```").expect("its end");
    let printed = text(&output.stdout);
    // Excerpts, in order: a further gateway does not touch them. Long enough to mean something,
    // with what is genuine and what is refused.
    assert!(shown.lines().filter(|line| line.starts_with("  ok    ")).count() > 30, "{shown}");
    assert!(shown.contains("verified") && shown.contains("SIGNATURE_MISMATCH"));
    let mut rest = printed.as_str();
    for excerpt in shown.split("[...]\n") {
        let (_, after) = rest.split_once(excerpt).unwrap_or_else(|| panic!("{excerpt}\n{printed}"));
        rest = after;
    }
}

#[test]
fn what_is_signed_is_verified_and_what_is_changed_is_refused() {
    let folder = std::env::temp_dir().join(format!("payhook-cli-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let secret = folder.join("secret");
    fs::write(&secret, "whsec_command_line_test_0001\n").expect("written");
    let config = folder.join("payhook.yaml");
    let yaml = format!(
        "variants:\n  shop:\n    gateway: stripe\n    keys:\n      - endpoint_secret: {{file: {}}}\n",
        secret.display()
    );
    fs::write(&config, yaml).expect("written");
    let config = config.to_str().expect("UTF-8");
    let body = br#"{"id":"evt_1","object":"event","type":"a.b","data":{"object":{}}}"#;
    let account = ["--config", config, "--variant", "shop"];
    let sign = [&["sign"], &account[..], &["--at", "1700000000"]].concat();
    let signed = run(&sign, body);
    assert_eq!(signed.status.code(), Some(0), "{}", text(&signed.stderr));
    let header = text(&signed.stdout);
    let verify = |at: &str, body: &[u8]| {
        let at = ["--at", at, "--header", header.trim(), "--explain"];
        run(&[&["verify"], &account[..], &at[..]].concat(), body)
    };
    let genuine = verify("1700000300", body);
    assert_eq!(genuine.status.code(), Some(0), "{}", text(&genuine.stderr));
    let printed: serde_json::Value = serde_json::from_slice(&genuine.stdout).expect("JSON");
    assert_eq!(printed["events"][0]["id"], "evt_1");
    let changed = verify("1700000300", b"{}");
    assert_eq!(changed.status.code(), Some(1));
    assert!(text(&changed.stderr).contains("SIGNATURE_MISMATCH"));
    assert!(text(&changed.stderr).contains("bodySha256"));
    let longer = verify("1700000300", &[&body[..], b"\n"].concat());
    assert_eq!(longer.status.code(), Some(1));
    let explained = text(&longer.stderr);
    assert!(explained.contains("BODY_NEWLINES: it matches with other newlines"), "{explained}");
    let stale = verify("1700000301", body);
    assert_eq!(stale.status.code(), Some(1));
    assert!(text(&stale.stderr).contains("TIMESTAMP_TOO_OLD"));
    let checked = run(&["check", "--config", config], b"");
    assert_eq!(checked.status.code(), Some(0));
    assert!(text(&checked.stdout).contains("shop"));
    assert!(!text(&checked.stdout).contains("whsec_"));
    fs::remove_dir_all(&folder).expect("ours");
}

#[test]
fn every_failure_has_its_exit_code() {
    let folder = std::env::temp_dir().join(format!("payhook-exit-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let bad = folder.join("bad.yaml");
    fs::write(&bad, "listen: 127.0.0.1:0\nlisten_here: yes\n").expect("written");
    let bad = bad.to_str().expect("UTF-8");
    // A port that was free a moment ago and that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let rows: [(&[&str], i32, &str); 5] = [
        (&["nonsense"], 2, "unrecognized subcommand"),
        (&["check", "--config", bad], 78, "line 2, column 1"),
        (&["serve", "--config", bad], 78, "listen_here"),
        (&["check", "--config", "/nowhere/payhook.yaml"], 78, "/nowhere/payhook.yaml"),
        (&["probe", "--address", &address], 69, &address),
    ];
    for (arguments, code, message) in rows {
        let output = run(arguments, b"");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&run(&["completions", shell], b"").stdout).contains("payhook"));
    }
    assert!(text(&run(&["man"], b"").stdout).contains(".TH"));
    fs::remove_dir_all(&folder).expect("ours");
}

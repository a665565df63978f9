//! Configurations that are refused, of every kind.

/// Sixty configurations that must not be taken. Each holds the canary where a secret could stand.
pub fn broken() -> Vec<Vec<u8>> {
    let variant = |body: &str| format!("variants:\n  shop:\n{body}");
    let stripe = |body: &str| variant(&format!("    gateway: stripe\n{body}"));
    let key = |body: &str| stripe(&format!("    keys:\n      - {body}\n"));
    let good = "    keys: [{endpoint_secret: {env: A}}]\n";
    let mut texts: Vec<String> = [
        "",
        " \n\n",
        "# nothing\n",
        "---\n",
        "null\n",
        "[]\n",
        "- a\n",
        "text\n",
        "7\n",
        "true\n",
        "{",
        "}",
        "a: b: c\n",
        "\"\n",
        "a: [1, 2\n",
        "\tlisten: x\n",
        "a: *nowhere\n",
        "a: &a [*a]\n",
        "? [a]\n: b\n",
        "audit: true\naudit: true\n",
        "listen: []\n",
        "listen: 1\n",
        "listen: localhost\n",
        "listen: 0.0.0.0:50051\n",
        "listen: unix:relative\n",
        "admin_listen: unix:/run/a\n",
        "socket: {mode: 0660}\n",
        "socket: {mode: \"0666\"}\n",
        "socket: {mode: \"nine\"}\n",
        "tls: {certificate: {file: a}}\n",
        "tls: {private_key: whsec_canary}\n",
        "runtime: {workers: 0}\n",
        "runtime: {workers: many}\n",
        "limits: 5\n",
        "limits: {body_bytes_max: 4194305}\n",
        "limits: {body_bytes_max: -1}\n",
        "limits: {body_bytes_max: 1.5}\n",
        "limits: {deadline_ms: 9}\n",
        "cache: {negative_seconds: 6}\n",
        "cache: {variants_max: 0}\n",
        "cache: {ttl_seconds: 99999999999999999999}\n",
        "log: {format: xml}\n",
        "reflection: maybe\n",
        "vault: {address: http://vault}\n",
        "variants: []\n",
        "payment_variants: {file: /nowhere/at/all}\n",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([
        variant("    keys: []\n"),
        variant("    gateway: none\n"),
        stripe(""),
        stripe("    keys: []\n"),
        stripe("    keys: {}\n"),
        key("endpoint_secret: whsec_canary"),
        key("endpoint_secret: {value: whsec_canary}"),
        key("endpoint_secret: {env: whsec-canary+/=}"),
        key("endpoint_secret: {env: A, file: b}"),
        key("endpoint_secret: {env: A}\n        role: whsec_canary"),
        key("endpoint_secret: {env: A}\n        expires_at: tomorrow"),
        key("endpoint_secret: {env: A}\n        secret: whsec_canary"),
        stripe(&format!("{good}    environment: production\n")),
        stripe(&format!("{good}    accounts: acct_1\n")),
        stripe(&format!("{good}    callers: [{{}}]\n")),
        stripe(&format!("{good}    callers: [{{uid: 1, san: a}}]\n")),
        stripe(&format!("{good}    callers: [{{token: whsec_canary}}]\n")),
        stripe(&format!("{good}    options: {{secure_endpoint: false}}\n")),
        stripe(&format!("{good}    options: {{accept_received_at_max_seconds: 604801}}\n")),
        stripe(&format!("{good}    options: {{accept_received_at_max_seconds: -1}}\n")),
        stripe(&format!("{good}    options: {{tolerance_seconds: 86401}}\n")),
        stripe(&format!("{good}    options: {{tolerance_seconds: -1}}\n")),
        stripe(&format!("{good}  shop:\n    gateway: stripe\n{good}")),
        stripe(&format!("    keys: [{}]\n", ["{endpoint_secret: {env: A}}"; 5].join(", "))),
        "[".repeat(100_000),
        format!("a: {}1{}\n", "[".repeat(40), "]".repeat(40)),
    ]);
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    all.push(b"audit: \xff\xfe\n".to_vec());
    all.push(vec![b'#'; 9 * 1024 * 1024]);
    all
}

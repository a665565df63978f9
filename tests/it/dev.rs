//! `payhook serve --dev` without a configuration: throw-away secrets on loopback, said loudly, and
//! never beside a configuration.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    sync::Arc,
};

use payhook::{
    accounts::{Accounts, CacheSettings, SystemSecrets},
    config::{Config, Listen, Purpose},
    proto,
    server::system_clock,
    verify::Draft,
};

use crate::{config::Folder, serving};

/// The binary in a folder of its own, where no configuration is unless the test puts one there.
fn payhook(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payhook"));
    command.args(arguments).current_dir(&folder.0);
    command.env_remove("RUST_LOG").env_remove("PAYHOOK_CONFIG");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = payhook(folder, arguments).output().expect("it runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

/// A server that ends with its test.
struct Development {
    child: Child,
    printed: String,
    warned: String,
    address: SocketAddr,
}

impl Drop for Development {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(folder: &Folder, arguments: &[&str]) -> Development {
    let mut child = payhook(folder, arguments).spawn().expect("it runs");
    let mut printed = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    // Printed before it serves; without `--dev` nothing is, and the pipe stays silent.
    if !arguments.contains(&"--config") {
        while !printed.contains("# end of") {
            assert!(out.read_line(&mut printed).expect("text") > 0, "it ended: {printed}");
        }
    }
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut warned = String::new();
    let serving = loop {
        let line = lines.next().expect("it serves").expect("text");
        if line.contains("\"Serving\"") {
            break line;
        }
        warned += &line;
    };
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let port = serving.split("127.0.0.1:").nth(1).expect("an address");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let address = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    Development { child, printed, warned, address }
}

#[tokio::test]
async fn every_gateway_that_signs_with_a_key_is_served_with_a_secret_that_was_printed() {
    let folder = Folder::new("dev");
    let served = start(&folder, &["serve", "--dev", "--port", "0"]);
    assert!(served.warned.contains("WARN") && served.warned.contains("DEVELOPMENT SERVER"));
    assert!(served.warned.contains("Never run this in production"), "{}", served.warned);
    let config = Config::from_yaml(&served.printed, Purpose::Development).expect("its own output");
    let loopback = |listen: &Listen| matches!(listen, Listen::Tcp(it) if it.ip().is_loopback());
    assert!(config.listen.iter().all(loopback) && config.admin_listen.ip().is_loopback());
    assert!(Config::from_yaml(&served.printed, Purpose::Production).is_err());
    let clock = system_clock();
    let accounts = Accounts::new(
        config.variants,
        String::new(),
        Arc::new(SystemSecrets),
        clock.clone(),
        CacheSettings::default(),
    );
    let mut client = serving::Client::new(serving::channel(served.address).await);
    let names: Vec<_> = accounts.variants().iter().map(|it| it.as_str().to_owned()).collect();
    assert!(names.len() >= 15 && names.contains(&"stripe".to_owned()), "{names:?}");
    let mut verified = 0;
    for account in accounts.list().await {
        for sample in account.gateway().samples.iter().take(3) {
            let draft = Draft {
                url: "https://shop.example/hook",
                headers: &[],
                payload: sample.payload.as_bytes(),
            };
            let signed = account.verifier().sign(draft, clock()).expect("it signs");
            let headers = signed.headers.into_iter();
            let mut webhook = proto::WebhookRequest {
                variant: account.variant().as_str().to_owned(),
                body: signed.body.into(),
                headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
                url: signed.url,
                ..proto::WebhookRequest::default()
            };
            let answer = client.verify_and_parse(serving::request(webhook.clone())).await;
            // A sample of a live event is refused by the pin, after its signature held.
            let signed = match answer {
                Ok(answer) => {
                    verified += 1;
                    let verification = answer.into_inner().verification.expect("verified");
                    verification.assurance() == proto::Assurance::BodySigned
                }
                Err(status) => {
                    let reason = serving::reason(&status);
                    assert_eq!(reason, "ENVIRONMENT_MISMATCH", "{}: {status}", webhook.variant);
                    false
                }
            };
            if signed {
                webhook.body = [&webhook.body[..], b"x"].concat().into();
                client.verify_and_parse(serving::request(webhook)).await.expect_err("changed");
            }
        }
    }
    assert!(verified >= 15, "{verified}");
    let again = start(&folder, &["serve", "--dev", "--port", "0"]);
    let secret = |text: &str| text.split("endpoint_secret: ").nth(1).map(|it| it[..40].to_owned());
    assert!(secret(&again.printed).is_some());
    assert_ne!(secret(&again.printed), secret(&served.printed), "others at every start");
}

#[test]
fn nothing_is_made_up_beside_a_configuration_or_without_the_switch() {
    let folder = Folder::new("dev-none");
    let (code, said) = ended(&folder, &["serve"]);
    assert!(code == Some(78) && said.contains("no configuration"), "{code:?}: {said}");
    let (code, said) = ended(&folder, &["serve", "--port", "0"]);
    assert!(code == Some(2) && said.contains("--dev"), "{code:?}: {said}");
    let (code, said) = ended(&folder, &["serve", "--dev", "--config", "nowhere.yaml"]);
    assert!(code == Some(78) && said.contains("nowhere.yaml"), "{code:?}: {said}");
    let yaml = "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\n";
    folder.write("payhook.yaml", yaml);
    let (code, said) = ended(&folder, &["serve", "--dev", "--port", "0"]);
    assert!(code == Some(78) && said.contains("payhook.yaml"), "{code:?}: {said}");
    let served = start(&folder, &["serve", "--dev", "--config", "payhook.yaml"]);
    assert!(!served.warned.contains("DEVELOPMENT SERVER"), "{}", served.warned);
    assert_eq!(served.printed, "");
}

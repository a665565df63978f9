//! The fuzz targets on a stable toolchain: seeds made of the vectors, and the inputs that once
//! found something (`fuzz/corpus`), are replayed. `just fuzz` has the seeds written to a folder.

use std::{env, fs, path::PathBuf};

use payhook::{
    gateway::GATEWAYS,
    model::UnixSeconds,
    proto,
    verify::{CheckTime, Draft, Header, Request, Step, Unverified},
};
use prost::Message as _;

use crate::{
    cases::{self, Case},
    paypal::urls,
    serving,
};

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use targets::{CANARY, GENUINE, SETUPS, Setup, TARGETS};

type Lines = (String, String, Vec<(String, String)>, Vec<u8>);

/// A request in the lines that the targets read.
fn lines((method, url, headers, body): &Lines) -> Vec<u8> {
    let head = headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
    let head = format!("{method} {url}{}\n\n", head.collect::<String>());
    [head.as_bytes(), body].concat()
}

fn raw(case: &Case) -> Lines {
    let request = &case.request;
    let method = if request.method.is_empty() { "POST" } else { &request.method };
    (method.to_owned(), request.url.clone(), request.headers.clone(), request.body())
}

/// The payload of an accepted row, unwrapped, with the headers that are no signature.
fn payload(case: &Case) -> Option<Lines> {
    let verifier = cases::verifier(case);
    let (method, url, headers, body) = raw(case);
    let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let request = Request { method: &method, url: &url, headers: &fields, body: &body };
    let payload = match Unverified::new(request).check_with(&verifier).ok()? {
        Step::Challenge(_) => return None,
        Step::NeedsAnswer(_) | Step::NeedsCertificate(_) => body.clone(),
        Step::Ready(check) => {
            let verified = check.run(CheckTime::now(UnixSeconds::new(case.now))).ok()?;
            verified.payload().to_vec()
        }
    };
    let text = String::from_utf8_lossy(&payload);
    let payload = match case.gateway.as_str() {
        "dotpay" => {
            let fields = text.split('&').filter(|field| !field.starts_with("signature="));
            fields.collect::<Vec<_>>().join("&").into_bytes()
        }
        _ => payload,
    };
    let url = url.split("crypt=").next().unwrap_or_default().to_owned();
    let draft = Draft { url: &url, headers: &[], payload: &payload };
    let ours = verifier.sign_with(draft, UnixSeconds::new(case.now), &|_| Some(vec![0; 256]));
    let ours = ours.map(|signed| signed.headers).unwrap_or_default();
    let beside = headers.into_iter().filter(|(name, _)| {
        let named = ours.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        !named && !name.starts_with("PAYPAL-")
    });
    Some((method, url, beside.collect(), payload))
}

/// Setups of a gateway, by their place among those of one kind.
fn places(case: &Case, among: fn(&Setup) -> bool) -> Vec<u8> {
    let chosen = SETUPS.iter().filter(|setup| among(setup)).zip(0..);
    chosen.filter(|(setup, _)| setup.gateway == case.gateway).map(|(_, at)| at).collect()
}

fn rows() -> impl Iterator<Item = Case> {
    GATEWAYS.iter().flat_map(|gateway| cases::cases(gateway.name))
}

fn signed(among: fn(&Setup) -> bool) -> Vec<Vec<u8>> {
    let rows = rows().filter(|case| case.expect["verdict"] == "verified");
    let payloads = rows.filter_map(|case| Some((places(&case, among), payload(&case)?)));
    let seed = |(places, payload): (Vec<u8>, Lines)| {
        let lines = lines(&payload);
        places.into_iter().map(move |place| [&[place], lines.as_slice()].concat())
    };
    payloads.flat_map(seed).collect()
}

fn requests() -> Vec<Vec<u8>> {
    let seed = |case: Case| {
        let lines = lines(&raw(&case));
        let places = places(&case, |_| true).into_iter();
        places.map(move |place| [&[place], lines.as_slice()].concat()).collect::<Vec<_>>()
    };
    let header = |name: &str, value: &str| (format!("PAYPAL-{name}"), value.to_owned());
    let headers = vec![
        header("TRANSMISSION-ID", GENUINE.id),
        header("TRANSMISSION-TIME", GENUINE.time),
        header("TRANSMISSION-SIG", "genuine"),
        header("CERT-URL", GENUINE.url),
        header("AUTH-ALGO", "SHA256withRSA"),
    ];
    let genuine = ("POST".to_owned(), String::new(), headers, GENUINE.body.into());
    let mut seeds: Vec<_> = rows().flat_map(seed).collect();
    seeds.push([&[1], lines(&genuine).as_slice()].concat());
    seeds
}

fn rpc() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = requests()
        .into_iter()
        .flat_map(|seed| [2, 3].map(|kind: u8| [&[kind], seed.as_slice()].concat()))
        .collect();
    for case in rows() {
        for place in places(&case, |_| true) {
            let webhook = serving::webhook(&case, &format!("v{place}"));
            let request = serving::request(webhook.clone()).encode_to_vec();
            seeds.push([&[0], request.as_slice()].concat());
            let source = Some(proto::map_status_request::Source::Webhook(webhook));
            let request = proto::MapStatusRequest { source, ..Default::default() };
            seeds.push([&[1], request.encode_to_vec().as_slice()].concat());
        }
    }
    seeds
}

fn texts() -> Vec<Vec<u8>> {
    let kind = |kind: u8| move |text: &str| [&[kind], text.as_bytes()].concat();
    let urls = urls::hostile();
    let amounts = ["USD 19.90", "JPY 500", "KWD -0.001", "EUR 92233720368547758.07", "EUR 1e3"];
    let times = ["2023-11-14T22:13:17Z", "2023-11-14T22:13:17.5+02:00", "2023-11-14 22:13:17z"];
    let names = ["shop", "EUR", "a b", "A-Z_a.z-0"];
    let mut scaled = vec![2];
    scaled.extend(50_000_i64.to_be_bytes());
    scaled.extend(b"\x02ISK");
    let seeds = urls.iter().map(|url| kind(0)(url)).chain([kind(0)(GENUINE.url), scaled]);
    let seeds = seeds.chain(amounts.map(kind(1))).chain(times.map(kind(3)));
    seeds.chain(names.map(kind(4))).collect()
}

fn configurations() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.reference.yaml");
    let reference = fs::read_to_string(path).expect("the reference").replace('/', "-");
    let variants: String = SETUPS
        .iter()
        .enumerate()
        .map(|(at, setup)| {
            let key = setup.key.iter().map(|(name, _)| format!("{name}: {{env: KEY_{at}}}"));
            let key = key.collect::<Vec<_>>().join(", ");
            let options = setup.options.replace('\n', " ");
            format!(
                "  v{at}:\n    gateway: {}\n    keys: [{{{key}}}]\n    options: {options}\n",
                setup.gateway
            )
        })
        .collect();
    let inline = format!(
        "variants:\n  shop:\n    gateway: stripe\n    keys:\n    - endpoint_secret: {CANARY}\n"
    );
    let toml = "listen = \"127.0.0.1:1\"\n[variants.shop]\ngateway = \"stripe\"\naccounts = [\"acct_1\"]\n\
        [[variants.shop.keys]]\nendpoint_secret = { env = \"SECRET\" }\nrole = \"next\"\n";
    let django = format!(
        "{{\"s\": [\"payments.stripe.StripeProviderV3\", {{\"endpoint_secret\": \"{CANARY}\"}}],\n\
         \"b\": [\"payments.braintree.BraintreeProvider\", {{\"public_key\": \"a\", \"private_key\": \"{CANARY}\", \"sandbox\": true}}],\n\
         \"d\": [\"payments.dummy.DummyProvider\", {{}}]}}"
    );
    let seed = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        seed(0, &reference),
        seed(0, &format!("variants:\n{variants}")),
        seed(0, &inline),
        seed(4, &inline),
        seed(1, toml),
        seed(5, toml),
        seed(2, &django),
        seed(6, &django),
    ]
}

/// Seeds of a target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "chain" => {
            let nothing = [0, 0, 0];
            let something = [0, 40, 1, 1, 0, 128];
            let kinds = (1..8_u8).flat_map(|kind| [(kind, &nothing[..]), (kind, &something[..])]);
            kinds
                .map(|(kind, change)| [&[kind], change].concat())
                .chain([
                    b"\0-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()
                ])
                .collect()
        }
        "config" => configurations(),
        "requests" => requests(),
        "rpc" => rpc(),
        "signed" => signed(targets::is_json),
        "signed_other" => signed(targets::is_other),
        "texts" => texts(),
        "transitions" => {
            let history =
                |first: u8| (0..64).map(move |at: u8| at.wrapping_mul(37).wrapping_add(first));
            (0..32).map(|first| history(first * 8).collect()).collect()
        }
        other => panic!("{other} has no seeds"),
    }
}

#[test]
fn seeds_and_what_once_found_something_keep_every_promise() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let written = env::var_os("PAYHOOK_FUZZ_SEEDS").map(PathBuf::from);
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 8, "{name} has {} seeds", seeds.len());
        for (at, seed) in seeds.iter().enumerate() {
            if let Some(folder) = &written {
                fs::create_dir_all(folder.join(name)).expect("a folder");
                fs::write(folder.join(name).join(format!("seed-{at}")), seed).expect("written");
            }
            target(seed);
        }
        let found = fs::read_dir(corpus.join(name)).into_iter().flatten();
        for entry in found {
            let path = entry.expect("an entry").path();
            target(&fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")));
        }
    }
}

#[test]
fn every_setup_has_a_seed_that_is_verified() {
    for among in [targets::is_json as fn(&Setup) -> bool, targets::is_other] {
        let seeds = signed(among);
        for (setup, place) in SETUPS.iter().filter(|setup| among(setup)).zip(0_u8..) {
            let mut own = seeds.iter().filter(|seed| seed[0] == place);
            let verified = own.any(|seed| targets::sign(seed, among) == Some(Ok(())));
            assert!(verified, "{}", setup.gateway);
        }
    }
    for gateway in GATEWAYS {
        assert!(SETUPS.iter().any(|setup| setup.gateway == gateway.name), "{}", gateway.name);
    }
}

//! What is left of a secret in memory: the process reads its own, through `/proc/self/mem`, and the
//! server's where the kernel lets it. The secrets are made at run time and kept masked, so that the
//! search does not find what it searches with.
//!
//! Proved: files, their watching, the loaded account and both uses of it (verifying and signing)
//! leave no copy behind once a value is replaced or its variant removed. Not covered: environment
//! variables, which the kernel keeps for the process, the buffers of a vault's connection, and
//! private keys of TLS.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, Read as _, Seek as _, SeekFrom},
    path::Path,
    sync::Arc,
};

use payhook::{
    accounts::{Account, Accounts, CacheSettings, KeySpec, SecretRef, SystemSecrets, VariantSpec},
    config::Purpose,
    gateway,
    model::{UnixSeconds, Variant},
    server::Reload,
    telemetry::Metrics,
    verify::{CheckTime, Draft, Header, KeyRole, Request, Step, Unverified},
};
use zeroize::Zeroizing;

use crate::{accounts::START, config::Folder, serving};

const MASK: u8 = 0x5a;

/// A secret that is never written down in clear.
pub(crate) struct Masked(Vec<u8>);

impl Masked {
    /// 96 random characters: an allocator writes over the beginning of what was freed.
    pub(crate) fn random() -> Self {
        let mut random = [0_u8; 96];
        fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random)).unwrap();
        Self(random.iter().map(|byte| (b'a' + byte % 26) ^ MASK).collect())
    }

    /// In clear, for as long as it is needed.
    pub(crate) fn clear(&self) -> Zeroizing<Vec<u8>> {
        let mut clear = Zeroizing::new(Vec::with_capacity(self.0.len()));
        clear.extend(self.0.iter().map(|byte| byte ^ MASK));
        clear
    }

    /// What is looked for: from the middle, because the ends of a freed copy may be gone.
    fn middle(&self) -> &[u8] {
        &self.0[40..64]
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.iter().zip(self.middle()).all(|(a, b)| a ^ MASK == *b)
    }

    /// How often it stands in a process' writable memory; an error where the kernel does not let
    /// us look.
    pub(crate) fn copies(&self, process: &str) -> std::io::Result<usize> {
        let maps = fs::read_to_string(format!("/proc/{process}/maps"))?;
        let mut memory = fs::File::open(format!("/proc/{process}/mem"))?;
        let mut piece = vec![0_u8; PIECE + self.middle().len()];
        // Our own view of the memory is no copy that anybody left there.
        let own = piece.as_ptr().addr() as u64..(piece.as_ptr().addr() + piece.len()) as u64;
        let (mut found, mut read) = (0, 0);
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let hex = |text| u64::from_str_radix(text, 16).unwrap();
            let (mut at, end) = (hex(start), hex(end));
            while at < end {
                let wanted = piece.len().min((end - at) as usize);
                // A mapping may be gone by now, or not be memory.
                let there = memory
                    .seek(SeekFrom::Start(at))
                    .and_then(|_| memory.read(&mut piece[..wanted]))
                    .unwrap_or(0);
                read += there;
                let ours = |place: &u64| process == "self" && own.contains(place);
                let places = self.places(&piece[..there]).into_iter();
                found += places.map(|place| at + place as u64).filter(|it| !ours(it)).count();
                piece.fill(0);
                at += PIECE as u64;
            }
        }
        assert!(process != "self" || read > 1024 * 1024, "memory was really read: {read} bytes");
        if read == 0 {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        Ok(found)
    }

    /// Where it begins in these bytes; what begins in the overlap belongs to the next piece.
    fn places(&self, bytes: &[u8]) -> Vec<usize> {
        let first = self.middle()[0] ^ MASK;
        let (mut rest, mut at, mut places) = (bytes, 0, Vec::new());
        loop {
            let passed = rest.skip_until(first).unwrap();
            at += passed;
            let here = at.wrapping_sub(1);
            if passed == 0 || bytes.get(here) != Some(&first) {
                return places;
            }
            let there = bytes.get(here..here + self.middle().len());
            if here < PIECE && there.is_some_and(|bytes| self.is_at(bytes)) {
                places.push(here);
            }
        }
    }
}

const PIECE: usize = 1024 * 1024;

/// Verifies what the account signs, and refuses it changed.
fn use_it(account: &Account) {
    let payload = account.gateway().samples[0].payload.as_bytes();
    let now = UnixSeconds::new(START);
    let draft = Draft { url: "", headers: &[], payload };
    let signed = account.verifier().sign(draft, now).unwrap();
    for change in [false, true] {
        let mut body = signed.body.clone();
        if change {
            let last = body.last_mut().unwrap();
            *last = if *last == b'0' { b'1' } else { b'0' };
        }
        let headers = signed.headers.iter().map(|(name, value)| Header { name, value });
        let headers: Vec<_> = headers.collect();
        let request = Request { method: "POST", url: &signed.url, headers: &headers, body: &body };
        let verified = match Unverified::new(request).check_with(account.verifier()) {
            Ok(Step::Ready(check)) => check.run(CheckTime::now(now)).map(drop),
            Ok(step) => panic!("{step:?}"),
            Err(rejection) => Err(rejection),
        };
        assert_eq!(verified.is_ok(), !change, "{verified:?}: {}", account.gateway().name);
    }
}

fn variant(gateway: &str, field: &str, path: &Path) -> VariantSpec {
    let place = SecretRef::File(path.to_owned());
    let key = KeySpec {
        label: None,
        role: KeyRole::Current,
        expires_at: None,
        fields: BTreeMap::from([(field.to_owned(), place)]),
    };
    VariantSpec {
        variant: Variant::new(gateway).unwrap(),
        gateway: gateway::find(gateway).unwrap(),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![key],
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    }
}

#[tokio::test]
async fn a_secret_that_was_replaced_or_removed_leaves_no_copy_behind() {
    let folder = Folder::new("residue");
    let (pins, keys) = ([Masked::random(), Masked::random()], [Masked::random(), Masked::random()]);
    let write = |name: &str, secret: &Masked| {
        fs::write(folder.0.join(name), &*secret.clear()).unwrap();
        folder.0.join(name)
    };
    let (pin, key) = (write("pin", &pins[0]), write("key", &keys[0]));
    let specs = || vec![variant("dotpay", "pin", &pin), variant("stripe", "endpoint_secret", &key)];
    let accounts = Arc::new(Accounts::new(
        specs(),
        "r1".to_owned(),
        Arc::new(SystemSecrets),
        serving::frozen(START),
        CacheSettings::default(),
    ));
    let (served, metrics) = (Arc::clone(&accounts), Arc::new(Metrics::default()));
    let reload = Reload::new(None, Purpose::Production, served, metrics);
    reload.look().await;
    let use_all = async || {
        use_it(&accounts.account("dotpay").await.unwrap());
        use_it(&accounts.account("stripe").await.unwrap());
    };
    use_all().await;
    // Dotpay's pin is hashed with every webhook and so is held; of Stripe's key only the state of
    // the MAC is.
    assert_eq!(pins[0].copies("self").unwrap(), 1, "the search finds what is held");
    assert_eq!(keys[0].copies("self").unwrap(), 0);
    write("pin", &pins[1]);
    write("key", &keys[1]);
    reload.look().await;
    use_all().await;
    assert_eq!([pins[0].copies("self").unwrap(), pins[1].copies("self").unwrap()], [0, 1]);
    assert_eq!([keys[0].copies("self").unwrap(), keys[1].copies("self").unwrap()], [0, 0]);
    accounts.apply(Vec::new(), "r2".to_owned()).await;
    for secret in pins.iter().chain(&keys) {
        assert_eq!(secret.copies("self").unwrap(), 0, "a removed variant takes its secrets along");
    }
}

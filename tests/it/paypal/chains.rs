//! Chains of every kind: what signs must lead to an anchor, be valid, carry the name and a key.

use std::sync::Arc;

use payhook::verify::{CertificateChain, Rejection};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ED25519, SanType,
    date_time_ymd,
};
use serde_json::json;

use super::{
    Authority, BODY, LIVE_NAME, LIVE_URL, NOW, authority_params, delivery, judge, judge_by,
    leaf_params, root, signing_key, verifier,
};

/// What the engine says of a chain, in one word.
fn verdict(chain: &str, anchors: &str, environment: Option<&str>, now: i64) -> &'static str {
    let mut options = json!({ "trust_anchors": anchors });
    if let Some(environment) = environment {
        options["environment"] = environment.into();
    }
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    match judge(&verifier(options), &headers, BODY.as_bytes(), chain, now, |_| ()) {
        Ok(()) => "accepted",
        Err(Rejection::CertificateUntrusted { .. }) => "untrusted",
        Err(other) => panic!("{other}"),
    }
}

fn names(params: &mut CertificateParams, names: &[&str]) {
    let name = |name: &&str| SanType::DnsName((*name).try_into().unwrap());
    params.subject_alt_names = names.iter().map(name).collect();
}

fn common_names(params: &mut CertificateParams, names: &[&str]) {
    params.subject_alt_names = Vec::new();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (position, name) in names.iter().enumerate() {
        let kind =
            if position == 0 { DnType::CommonName } else { DnType::CustomDnType(vec![2, 5, 4, 3]) };
        params.distinguished_name.push(kind, *name);
    }
}

fn with_eku(usages: &[ExtendedKeyUsagePurpose]) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.extended_key_usages = usages.to_vec()
}

#[test]
fn leaves_of_every_kind() {
    type Change = fn(&mut CertificateParams);
    let root = root(|_| {});
    let rows: [(&str, Change, &str); 22] = [
        ("as it should be", |_| {}, "accepted"),
        ("no extended use at all", |p| with_eku(&[])(p), "accepted"),
        (
            "a use beside the right one",
            |p| {
                with_eku(&[
                    ExtendedKeyUsagePurpose::ServerAuth,
                    ExtendedKeyUsagePurpose::ClientAuth,
                ])(p);
            },
            "accepted",
        ),
        ("another name beside it", |p| names(p, &["a.example", LIVE_NAME]), "accepted"),
        ("only a common name", |p| common_names(p, &[LIVE_NAME]), "accepted"),
        ("in capitals", |p| names(p, &["MessageVerificationCerts.PayPal.com"]), "accepted"),
        ("expired", |p| p.not_after = date_time_ymd(2023, 11, 1), "untrusted"),
        ("not valid yet", |p| p.not_before = date_time_ymd(2023, 12, 1), "untrusted"),
        ("another name", |p| names(p, &["www.paypal.com"]), "untrusted"),
        ("no name", |p| common_names(p, &[]), "untrusted"),
        ("a wildcard", |p| names(p, &["*.paypal.com"]), "untrusted"),
        (
            "the name and more",
            |p| names(p, &["messageverificationcerts.paypal.com.evil.example"]),
            "untrusted",
        ),
        ("more and the name", |p| names(p, &["xmessageverificationcerts.paypal.com"]), "untrusted"),
        (
            "a dot behind the name",
            |p| names(p, &["messageverificationcerts.paypal.com."]),
            "untrusted",
        ),
        (
            "the common name is right, the alternative name is not",
            |p| {
                p.distinguished_name.push(DnType::CommonName, LIVE_NAME);
                names(p, &["a.example"]);
            },
            "untrusted",
        ),
        (
            "the common name is right, the alternative name is an address",
            |p| {
                p.distinguished_name.push(DnType::CommonName, LIVE_NAME);
                p.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
            },
            "untrusted",
        ),
        ("two common names", |p| common_names(p, &[LIVE_NAME, "a.example"]), "untrusted"),
        ("for clients", |p| with_eku(&[ExtendedKeyUsagePurpose::ClientAuth])(p), "untrusted"),
        ("for code", |p| with_eku(&[ExtendedKeyUsagePurpose::CodeSigning])(p), "untrusted"),
        ("an authority", |p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), "untrusted"),
        (
            "with a critical extension that nobody knows",
            |p| {
                let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                extension.set_criticality(true);
                p.custom_extensions.push(extension);
            },
            "untrusted",
        ),
        (
            "of the sandbox",
            |p| names(p, &["messageverificationcerts.sandbox.paypal.com"]),
            "untrusted",
        ),
    ];
    for (what, change, expected) in rows {
        let chain = root.leaf(change);
        assert_eq!(verdict(&chain, &root.pem, Some("live"), NOW), expected, "{what}");
    }
}

#[test]
fn environments_are_kept_apart_by_name() {
    let root = root(|_| {});
    let sandbox = root.leaf(|p| names(p, &["messageverificationcerts.sandbox.paypal.com"]));
    let live = root.leaf(|_| {});
    assert_eq!(verdict(&sandbox, &root.pem, None, NOW), "accepted");
    assert_eq!(verdict(&sandbox, &root.pem, Some("live"), NOW), "untrusted");
    // What a live certificate vouches for is live: the variant's pin to test refuses the event.
    assert_eq!(verdict(&live, &root.pem, Some("test"), NOW), "accepted");
}

#[test]
fn validity_ends_to_the_second() {
    let root = root(|_| {});
    let chain = root.leaf(|_| {});
    let end = 1_735_689_600;
    assert_eq!(verdict(&chain, &root.pem, None, end), "accepted");
    assert_eq!(verdict(&chain, &root.pem, None, end + 1), "untrusted");
    let begin = 1_672_531_200;
    assert_eq!(verdict(&chain, &root.pem, None, begin), "accepted");
    for early in [begin - 1, 0, -1, i64::MIN] {
        assert_eq!(verdict(&chain, &root.pem, None, early), "untrusted", "{early}");
    }
}

#[test]
fn a_chain_that_held_ends_with_the_first_that_ends() {
    let long = root(|_| {});
    let short = root(|p| {
        p.distinguished_name.push(DnType::CommonName, "Ends early");
        p.not_after = date_time_ymd(2024, 1, 1);
    });
    let issuer = long.below(|p| p.not_after = date_time_ymd(2024, 6, 1));
    let served = |pem: &str| Arc::new(CertificateChain::from_pem(pem.as_bytes()));
    let whole = served(&format!("{}{}", issuer.leaf(|_| {}), issuer.pem));
    let lone = served(&short.leaf(|_| {}));
    let verifier = verifier(json!({ "trust_anchors": format!("{}{}", long.pem, short.pem) }));
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let holds = |chain: &Arc<CertificateChain>, now| {
        judge_by(&verifier, &headers, BODY.as_bytes(), Arc::clone(chain), now, |_| ()).is_ok()
    };
    let (anchor_ends, issuer_ends, begin) = (1_704_067_200, 1_717_200_000, 1_672_531_200);
    for _ in 0..2 {
        // The one after the other, so that each is checked anew, then known, then over.
        for chain in [&whole, &lone, &lone, &whole, &whole] {
            assert!(holds(chain, NOW));
            assert!(holds(chain, anchor_ends));
        }
        assert!(!holds(&lone, anchor_ends + 1), "its anchor ended");
        assert!(holds(&whole, anchor_ends + 1));
        assert!(holds(&whole, issuer_ends));
        assert!(!holds(&whole, issuer_ends + 1), "its issuer ended");
        assert!(!holds(&whole, begin - 1), "not yet valid, whatever held later");
    }
    let forged = served(&root(|_| {}).leaf(|_| {}));
    assert!(holds(&whole, NOW));
    assert!(!holds(&forged, NOW), "another chain than the one that held");
}

#[test]
fn issuers_of_every_kind() {
    let root = root(|_| {});
    let chain = |middle: &Authority| format!("{}{}", middle.leaf(|_| {}), middle.pem);
    let good = root.below(|_| {});
    let deep = good.below(|p| p.distinguished_name.push(DnType::CommonName, "Deeper"));
    let accepted = [
        ("through an authority", chain(&good)),
        ("through two", format!("{}{}{}", deep.leaf(|_| {}), deep.pem, good.pem)),
        ("in another order", format!("{}{}{}", deep.leaf(|_| {}), good.pem, deep.pem)),
        ("the root is there too", format!("{}{}", chain(&good), root.pem)),
        (
            "text around the blocks",
            format!("# leaf\n{}# issuer\n{}\n\n", good.leaf(|_| {}), good.pem),
        ),
        ("CR LF", chain(&good).replace('\n', "\r\n")),
    ];
    for (what, text) in accepted {
        assert_eq!(verdict(&text, &root.pem, None, NOW), "accepted", "{what}");
    }
    let expired = root.below(|p| p.not_after = date_time_ymd(2023, 11, 1));
    let early = root.below(|p| p.not_before = date_time_ymd(2023, 12, 1));
    let client = root.below(with_eku(&[ExtendedKeyUsagePurpose::ClientAuth]));
    let plain = root.below(|p| p.is_ca = IsCa::ExplicitNoCa);
    let unsaid = root.below(|p| p.is_ca = IsCa::NoCa);
    let flat = root.below(|p| p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let too_deep = flat.below(|p| p.distinguished_name.push(DnType::CommonName, "Deeper"));
    let subtree = |name: &str| vec![GeneralSubtree::DnsName(name.to_owned())];
    let excluding = root.below(|p| {
        let excluded_subtrees = subtree("paypal.com");
        p.name_constraints =
            Some(NameConstraints { permitted_subtrees: vec![], excluded_subtrees });
    });
    let elsewhere = root.below(|p| {
        let permitted_subtrees = subtree("example.com");
        p.name_constraints =
            Some(NameConstraints { permitted_subtrees, excluded_subtrees: vec![] });
    });
    let refused = [
        ("the issuer is missing", good.leaf(|_| {})),
        ("the issuer comes first", format!("{}{}", good.pem, good.leaf(|_| {}))),
        ("the issuer has expired", chain(&expired)),
        ("the issuer is not valid yet", chain(&early)),
        ("the issuer is for clients", chain(&client)),
        ("the issuer is no authority", chain(&plain)),
        ("the issuer does not say that it is one", chain(&unsaid)),
        ("deeper than allowed", format!("{}{}{}", too_deep.leaf(|_| {}), too_deep.pem, flat.pem)),
        ("a name that is excluded", chain(&excluding)),
        ("a name that is not permitted", chain(&elsewhere)),
        ("more certificates than a chain has", format!("{}{}", chain(&good), root.pem.repeat(7))),
    ];
    for (what, text) in refused {
        assert_eq!(verdict(&text, &root.pem, None, NOW), "untrusted", "{what}");
    }
}

#[test]
fn an_issuer_whose_key_usage_leaves_out_certificates_issues_none() {
    use KeyUsagePurpose as Use;
    let root = root(|_| {});
    let below = |usages: &[Use]| root.below(|params| params.key_usages = usages.to_vec());
    let rows: [(&[Use], &str); 8] = [
        (&[], "accepted"),
        (&[Use::KeyCertSign], "accepted"),
        (&[Use::KeyCertSign, Use::CrlSign], "accepted"),
        (&[Use::DigitalSignature, Use::KeyCertSign], "accepted"),
        (&[Use::DigitalSignature], "untrusted"),
        (&[Use::CrlSign], "untrusted"),
        (&[Use::KeyEncipherment, Use::ContentCommitment], "untrusted"),
        (&[Use::DecipherOnly, Use::KeyAgreement], "untrusted"),
    ];
    for (usages, expected) in rows {
        let issuer = below(usages);
        let chain = format!("{}{}", issuer.leaf(|_| {}), issuer.pem);
        assert_eq!(verdict(&chain, &root.pem, None, NOW), expected, "an issuer for {usages:?}");
        let deeper = issuer.below(|params| params.key_usages = vec![Use::KeyCertSign]);
        let chain = format!("{}{}{}", deeper.leaf(|_| {}), deeper.pem, issuer.pem);
        assert_eq!(verdict(&chain, &root.pem, None, NOW), expected, "above, for {usages:?}");
        let anchor = super::root(|params| params.key_usages = usages.to_vec());
        let leaf = anchor.leaf(|_| {});
        assert_eq!(verdict(&leaf, &anchor.pem, None, NOW), expected, "an anchor for {usages:?}");
    }
    // Issued twice for one key: the certificate that may issue is found behind the one that may not.
    let (good, params) = (below(&[Use::KeyCertSign]), |usages: &[Use]| {
        let mut params = authority_params("Test intermediate");
        params.key_usages = usages.to_vec();
        params
    });
    let twin = params(&[Use::CrlSign]).signed_by(good.issuer.key(), &root.issuer).unwrap().pem();
    let chain = format!("{}{twin}{}", good.leaf(|_| {}), good.pem);
    assert_eq!(verdict(&chain, &root.pem, None, NOW), "accepted");
    let chain = format!("{}{twin}", good.leaf(|_| {}));
    assert_eq!(verdict(&chain, &root.pem, None, NOW), "untrusted");
    // What may sign certificates signs no webhooks.
    for (usages, expected) in [
        (vec![Use::DigitalSignature], "accepted"),
        (vec![Use::DigitalSignature, Use::KeyCertSign], "untrusted"),
    ] {
        let leaf = root.leaf(|params| params.key_usages = usages);
        assert_eq!(verdict(&leaf, &root.pem, None, NOW), expected);
    }
}

#[test]
fn anchors_of_every_kind() {
    let root = root(|_| {});
    let middle = root.below(|_| {});
    let leaf = middle.leaf(|_| {});
    assert_eq!(verdict(&leaf, &middle.pem, None, NOW), "accepted", "an anchor may be an issuer");
    let both = format!("{}{}", root.pem, middle.pem);
    assert_eq!(verdict(&leaf, &both, None, NOW), "accepted");
    let same_name = super::root(|_| {});
    assert_eq!(verdict(&root.leaf(|_| {}), &same_name.pem, None, NOW), "untrusted");
    let own = leaf_params().self_signed(signing_key()).unwrap().pem();
    assert_eq!(verdict(&own, &root.pem, None, NOW), "untrusted", "signed by itself");
    let expired = super::root(|p| p.not_after = date_time_ymd(2023, 11, 1));
    assert_eq!(verdict(&expired.leaf(|_| {}), &expired.pem, None, NOW), "untrusted");
    let early = super::root(|p| p.not_before = date_time_ymd(2023, 12, 1));
    assert_eq!(verdict(&early.leaf(|_| {}), &early.pem, None, NOW), "untrusted");
    // Anybody may have a certificate of the public roots, but not with this name.
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let nobody = judge(&verifier(json!({})), &headers, BODY.as_bytes(), &leaf, NOW, |_| ());
    assert!(matches!(nobody, Err(Rejection::CertificateUntrusted { .. })), "no anchors at all");
}

#[test]
fn keys_that_cannot_sign_webhooks() {
    let root = root(|_| {});
    for key in [KeyPair::generate().unwrap(), KeyPair::generate_for(&PKCS_ED25519).unwrap()] {
        let chain = leaf_params().signed_by(&key, &root.issuer).unwrap().pem();
        assert_eq!(verdict(&chain, &root.pem, None, NOW), "untrusted", "{:?}", key.algorithm());
    }
    // Made by openssl: rcgen makes nothing that weak.
    let fixture = |name: &str| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/paypal/");
        std::fs::read_to_string(format!("{path}{name}.pem")).expect("the fixture")
    };
    let anchors = json!({ "trust_anchors": fixture("root") });
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let judged = |chain: &str| {
        judge(&verifier(anchors.clone()), &headers, BODY.as_bytes(), chain, 1_800_000_000, |_| ())
            .expect_err("signed by another key")
            .label()
    };
    assert_eq!(judged(&fixture("good")), "SIGNATURE_MISMATCH", "its chain is right");
    for weak in [
        "rsa-1024",
        "rsa-2047",
        "sha1",
        "md5",
        "sha1-intermediate",
        "rsa-1024-intermediate",
        "version-1",
    ] {
        assert_eq!(judged(&fixture(weak)), "CERTIFICATE_UNTRUSTED", "{weak}");
    }
}

#[test]
fn what_is_no_chain_is_never_trusted() {
    let root = root(|_| {});
    let leaf = root.leaf(|_| {});
    let (_, base64) = leaf.split_once('\n').unwrap();
    let key = signing_key().serialize_pem();
    let trailing = {
        let der = leaf_params().signed_by(signing_key(), &root.issuer).unwrap();
        let bytes = [der.der().as_ref(), b"x"].concat();
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(bytes)
        )
    };
    let texts = [
        String::new(),
        "<html>404</html>".to_owned(),
        "\0\u{1}\u{2}".to_owned(),
        leaf[..leaf.len() / 2].to_owned(),
        leaf.replace("END", "EMD"),
        leaf.replace('M', "!"),
        base64.to_owned(),
        key,
        trailing,
        format!("{leaf}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned(),
        authority_params("x").self_signed(signing_key()).unwrap().pem(),
    ];
    for text in texts {
        assert_eq!(verdict(&text, &root.pem, None, NOW), "untrusted", "{text}");
    }
}

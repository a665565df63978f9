//! Forms and lists of signatures by the family: every spelling, order and copy of a field, every
//! length and place of a pair.

use super::{PUBLIC, percent, post, signed, verifier};

/// Its base64 holds a plus sign, which is a blank where nobody escaped it.
const XML: &str =
    "<notification><kind>check</kind><subject><check>~~></check></subject></notification>";

/// Spellings that decode to one name.
fn spellings(name: &str) -> [String; 4] {
    let (start, end) = name.split_at(3);
    let hex = |text: &str, upper: bool| {
        let escape = |byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
        text.bytes().map(escape).collect::<String>()
    };
    [
        name.to_owned(),
        hex(name, true),
        format!("{}{end}", hex(start, false)),
        name.replace('_', "%5F"),
    ]
}

#[test]
fn every_copy_of_a_field_is_refused_whichever_is_valid() {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, XML);
    let fields = [
        ("bt_signature", percent(signature.as_bytes())),
        ("bt_payload", percent(payload.as_bytes())),
    ];
    let mut run = 0;
    for (at, (name, valid)) in fields.iter().enumerate() {
        let (other_name, other) = &fields[1 - at];
        for spelling in spellings(name) {
            let once = format!("{spelling}={valid}&{other_name}={other}");
            assert!(post(&verifier, once.as_bytes()).is_ok(), "{spelling} is the same name");
            let zeros = format!("{PUBLIC}%7C{}", "0".repeat(40));
            let broken = if at == 0 { zeros.as_str() } else { "PGE%2B" };
            for (first, second) in [
                (valid.as_str(), broken),
                (broken, valid),
                (valid, valid),
                ("", valid),
                (valid, ""),
                (valid, "%00"),
            ] {
                let twice = [
                    format!("{name}={first}&{spelling}={second}&{other_name}={other}"),
                    format!("{name}={first}&{other_name}={other}&{spelling}={second}"),
                    format!("a=b&{spelling}={first}&&{other_name}={other}&c&{name}={second}&d="),
                ];
                for body in twice {
                    assert!(post(&verifier, body.as_bytes()).is_err(), "{body}");
                    run += 1;
                }
            }
        }
    }
    assert_eq!(run, 2 * 4 * 6 * 3);
}

#[test]
fn names_separators_and_escapes_are_read_one_way() {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, XML);
    assert!(payload.contains('+'), "{payload}");
    let (s, p) = (percent(signature.as_bytes()), percent(payload.as_bytes()));
    let mut refused: Vec<String> = Vec::new();
    for glue in
        [";", "%26", "&amp;", ",", "\n", "\r\n", "\0", "?", "|", "+", "%3B", " & ", "&amp%3B"]
    {
        refused.push(format!("bt_signature={s}{glue}bt_payload={p}"));
        refused.push(format!("bt_payload={p}{glue}bt_signature={s}"));
    }
    for odd in ["[]", "[0]", "%5B%5D", ".", "%00", "+", "%20", "%0A", "s", "*", "%EF%BB%BF", "-"] {
        refused.push(format!("bt_signature{odd}={s}&bt_payload={p}"));
        refused.push(format!("bt_signature={s}&bt_payload{odd}={p}"));
        refused.push(format!("{odd}bt_signature={s}&bt_payload={p}"));
        refused.push(format!("bt_signature={s}&{odd}bt_payload={p}"));
    }
    for name in ["BT_PAYLOAD", "Bt_payload", "bt_Payload", "bt-payload", "btpayload", "payload", ""]
    {
        refused.push(format!("bt_signature={s}&{name}={p}"));
        refused.push(format!("{}={s}&bt_payload={p}", name.replace("ayload", "signature")));
    }
    // What stands for a plus sign counts: unescaped it is a blank, and escaped twice no plus sign.
    for plus in ["+", "%20", "%252B", "%2b%2B", "%", "%2", "%2G", "%u002B", "-", "&#43;"] {
        refused.push(format!("bt_signature={s}&bt_payload={}", p.replace("%2B", plus)));
    }
    for at in [0, payload.len() / 2, payload.len()] {
        let (start, end) = payload.split_at(at);
        for odd in ["%00", "%0D", "%09", "%20", "+", "%FF", "%C0%80", "%EF%BB%BF", "%22", "-", "_"]
        {
            let value = format!("{}{odd}{}", percent(start.as_bytes()), percent(end.as_bytes()));
            refused.push(format!("bt_signature={s}&bt_payload={value}"));
        }
    }
    assert!(refused.len() >= 60, "{}", refused.len());
    for body in &refused {
        assert!(post(&verifier, body.as_bytes()).is_err(), "{body:?}");
    }
    let plain = p.replace("%3D", "=").replace("%2F", "/").replace("%2B", "%2b");
    for accepted in [
        format!("bt_signature={s}&bt_payload={plain}"),
        format!("bt_signature={signature}&bt_payload={plain}").replace('&', "&&"),
        format!("&bt_payload={p}&bt_signature={s}&"),
    ] {
        assert!(post(&verifier, accepted.as_bytes()).is_ok(), "{accepted:?}");
    }
}

#[test]
fn our_pair_counts_wherever_it_stands_and_only_whole() {
    let verifier = verifier();
    let (ours, payload) = signed(&verifier, XML);
    let hex = ours.split_once('|').expect("a pair").1.to_owned();
    let accepts = |list: &str| {
        let body = super::form(list, payload.as_bytes());
        post(&verifier, &body).is_ok()
    };
    let others: Vec<_> =
        (0..12).map(|number| format!("other{number}|{}", "a".repeat(40))).collect();
    for at in 0..=others.len() {
        let mut list = others.clone();
        list.insert(at, ours.clone());
        assert!(accepts(&list.join("&")), "our pair at {at}");
        list.insert(0, format!("{PUBLIC}|{}", "0".repeat(40)));
        assert!(!accepts(&list.join("&")), "another pair of our key before {at}");
    }
    for length in 0..hex.len() {
        assert!(!accepts(&format!("{PUBLIC}|{}", &hex[..length])), "{length} digits");
        assert!(!accepts(&format!("{PUBLIC}|{hex}{}", &hex[..=length])), "{length} digits more");
    }
    for at in 0..PUBLIC.len() {
        let (start, end) = PUBLIC.split_at(at);
        let mut other = PUBLIC.as_bytes().to_vec();
        other[at] ^= 0x20;
        let other = String::from_utf8(other).expect("ASCII");
        for key in [start, end, &format!("{start} {end}"), &format!("{start}\0{end}"), &other] {
            let is_ours = key == PUBLIC;
            assert_eq!(accepts(&format!("{key}|{hex}")), is_ours, "{key:?}");
        }
    }
}

//! What webpki does not hand out of a certificate: validity, the common name, whether there is a
//! subject alternative name, and whether its key may sign certificates. Read by x509-cert, and only
//! ever believed of certificates whose chain webpki has checked, or that the operator trusts.

use x509_cert::{
    Certificate,
    der::{Decode as _, asn1::ObjectIdentifier},
    ext::pkix::KeyUsage,
    time::Time,
};

use crate::model::UnixSeconds;

/// What is read from one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// Valid from this moment on.
    pub(crate) not_before: UnixSeconds,
    /// Valid up to and including this moment.
    pub(crate) not_after: UnixSeconds,
    /// Each common name of the subject, as bytes.
    pub(crate) common_names: Vec<Vec<u8>>,
    /// Whether there is a subject alternative name: then the common name counts for nothing.
    pub(crate) has_alternative_name: bool,
    /// Whether its key may sign certificates; `None` where it does not say what its key is for.
    pub(crate) signs_certificates: Option<bool>,
}

impl Outline {
    /// Reads a certificate; `None` where it is no certificate.
    pub(crate) fn read(certificate: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let certificate = certificate.tbs_certificate();
        let common_names = certificate.subject().iter().filter(|pair| pair.oid == COMMON_NAME);
        let mut extensions = certificate.extensions().into_iter().flatten();
        // A key usage that cannot be read, or two of them, make it no certificate.
        let usage = certificate.get_extension::<KeyUsage>().ok()?;
        Some(Self {
            not_before: seconds(certificate.validity().not_before)?,
            not_after: seconds(certificate.validity().not_after)?,
            common_names: common_names.map(|pair| pair.value.value().to_vec()).collect(),
            has_alternative_name: extensions.any(|it| it.extn_id == ALTERNATIVE_NAME),
            signs_certificates: usage.map(|(_, usage)| usage.key_cert_sign()),
        })
    }

    /// Whether it may issue certificates: it says so, or does not say what its key is for.
    ///
    /// RFC 5280, 6.1.4 (n): "If a key usage extension is present, verify that the keyCertSign bit
    /// is set." webpki leaves this to its caller.
    pub(crate) fn may_issue(&self) -> bool {
        self.signs_certificates != Some(false)
    }

    /// Whether it may sign anything but certificates.
    ///
    /// RFC 5280, 4.2.1.3: where keyCertSign is asserted, the certificate belongs to an authority.
    pub(crate) fn may_sign(&self) -> bool {
        self.signs_certificates != Some(true)
    }

    /// Whether it is valid at a moment.
    pub(crate) fn is_valid(&self, now: UnixSeconds) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

fn seconds(time: Time) -> Option<UnixSeconds> {
    i64::try_from(time.to_unix_duration().as_secs()).ok().map(UnixSeconds::new)
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, DnType, KeyPair, KeyUsagePurpose as Use};

    use super::*;

    fn outline(change: impl FnOnce(&mut CertificateParams)) -> Option<Outline> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        Outline::read(params.self_signed(&key).expect("a certificate").der())
    }

    #[test]
    fn nothing_of_any_length_is_read_beyond_its_end() {
        let certificate = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()])
            .expect("a certificate");
        let der = certificate.cert.der();
        assert!(Outline::read(der).is_some());
        for length in 0..der.len() {
            assert_eq!(Outline::read(&der[..length]), None, "{length} bytes");
        }
        assert_eq!(Outline::read(&[der.as_ref(), &[0]].concat()), None, "more than a certificate");
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let read = outline(|params| {
            params.not_before = rcgen::date_time_ymd(1999, 12, 31);
            params.not_after = rcgen::date_time_ymd(2050, 1, 1);
        });
        let read = read.expect("a certificate");
        assert_eq!(read.not_before, UnixSeconds::new(946_598_400));
        assert_eq!(read.not_after, UnixSeconds::new(2_524_608_000));
        assert!(read.is_valid(read.not_before) && read.is_valid(read.not_after));
        assert!(!read.is_valid(UnixSeconds::new(946_598_399)));
        assert!(!read.is_valid(UnixSeconds::new(2_524_608_001)));
    }

    #[test]
    fn names_are_told_apart() {
        let read = outline(|params| params.distinguished_name.push(DnType::CommonName, "b"));
        let read = read.expect("a certificate");
        assert_eq!((read.common_names, read.has_alternative_name), (vec![b"b".to_vec()], true));
        let read = outline(|params| params.subject_alt_names.clear()).expect("a certificate");
        assert!(!read.has_alternative_name);
    }

    #[test]
    fn a_key_usage_says_what_a_key_is_for() {
        let with = |usages: &[Use]| {
            let usages = usages.to_vec();
            let read = outline(|params| params.key_usages = usages).expect("a certificate");
            (read.may_issue(), read.may_sign())
        };
        assert_eq!(with(&[]), (true, true), "nothing is said");
        assert_eq!(with(&[Use::KeyCertSign]), (true, false));
        assert_eq!(with(&[Use::KeyCertSign, Use::DigitalSignature]), (true, false));
        assert_eq!(with(&[Use::DigitalSignature]), (false, true));
        assert_eq!(with(&[Use::CrlSign, Use::KeyEncipherment]), (false, true));
        let usage = |content| CustomExtension::from_oid_content(&[2, 5, 29, 15], content);
        let both = |first: Vec<u8>, second: Vec<u8>| {
            outline(|params| params.custom_extensions = vec![usage(first), usage(second)])
        };
        assert!(both(vec![3, 2, 2, 4], vec![3, 2, 2, 4]).is_none(), "two of them");
        let broken = outline(|params| params.custom_extensions = vec![usage(vec![4, 1, 0])]);
        assert!(broken.is_none(), "no bits");
    }
}

//! Law: any bytes are a sensor's certificate or none, any word a token or none; a token is written
//! as it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use noroshi_proto::certificate::SensorCertificate;
use noroshi_proto::token::Token;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = SensorCertificate::read(bytes) {
        let _ = certificate.renew_at();
    }
    if let Ok(text) = str::from_utf8(bytes)
        && let Ok(token) = text.parse::<Token>()
    {
        assert_eq!(token.to_string(), text.trim().to_lowercase());
    }
});

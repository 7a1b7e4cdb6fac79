//! Request ids and trace ids in AWS's forms.

use std::time::{SystemTime, UNIX_EPOCH};

/// A random UUID, version 4 (RFC 9562, section 5.4), as Lambda's request ids are.
pub(crate) fn uuid() -> String {
    let random = fastrand::u128(..);
    let versioned = (random & !(0xF << 76)) | (0x4 << 76);
    let id = (versioned & !(0x3 << 62)) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        (id >> 80) & 0xFFFF,
        (id >> 64) & 0xFFFF,
        (id >> 48) & 0xFFFF,
        id & 0xFFFF_FFFF_FFFF
    )
}

/// A sampled X-Ray trace header (AWS X-Ray's page "Tracing header").
pub(crate) fn trace() -> String {
    format!(
        "Root=1-{:08x}-{:024x};Parent={:016x};Sampled=1",
        epoch_ms() / 1000,
        fastrand::u128(..) >> 32,
        fastrand::u64(..)
    )
}

/// Now, in milliseconds since the epoch.
pub(crate) fn epoch_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        for _ in 0..100 {
            let id = uuid();
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12]);
            assert_eq!(&id[14..15], "4");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn a_trace_header_has_a_root_a_parent_and_a_decision() {
        let header = trace();
        let parts: Vec<&str> = header.split([';', '=']).collect();
        assert_eq!([parts[0], parts[2], parts[4], parts[5]], ["Root", "Parent", "Sampled", "1"]);
        assert_eq!(parts[1].len(), 35);
        assert_eq!(parts[3].len(), 16);
    }
}

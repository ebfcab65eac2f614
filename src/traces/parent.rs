//! The header `traceparent` (W3C Trace Context §3.2).

/// The span of another system that a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) is_sampled: bool,
}

impl TraceParent {
    /// Parses the value of the header. Fields that later versions add are ignored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_valid = is_hex(version, 2)
            && version != "ff"
            && is_hex(trace, 32)
            && is_hex(span, 16)
            && is_hex(flags, 2)
            && (version != "00" || parts.next().is_none());
        if !is_valid {
            return None;
        }
        let trace_id = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        let is_sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        Some(Self { trace_id, span_id, is_sampled })
    }

    /// The trace id as text: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampled_is_the_lowest_bit_of_the_flags() {
        for (flags, is_sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)] {
            let parent = TraceParent::parse(&format!("00-0000000000000000000000000000000a-000000000000000b-{flags}"));
            assert_eq!(parent, Some(TraceParent { trace_id: 10, span_id: 11, is_sampled }), "{flags}");
        }
    }

    #[test]
    fn trace_id_has_32_digits() {
        let parent = TraceParent { trace_id: 10, span_id: 11, is_sampled: true };
        assert_eq!(parent.trace_id(), "0000000000000000000000000000000a");
    }
}

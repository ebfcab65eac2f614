//! Memory and files of this process, from `/proc`. Unknown where there is none, as on macOS.

use std::fs;

/// The memory of this process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Virtual memory.
    pub size: usize,
    /// Memory in RAM.
    pub resident: usize,
}

/// Reads the memory of this process.
#[must_use]
pub fn memory() -> Option<Memory> {
    parse(&fs::read_to_string("/proc/self/statm").ok()?, rustix::param::page_size())
}

/// The number of open file descriptors.
#[must_use]
pub fn open_files() -> Option<usize> {
    // One of them belongs to the listing.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

/// Parses `statm`, which counts pages (proc_pid_statm(5)).
fn parse(text: &str, page: usize) -> Option<Memory> {
    let mut pages = text.split_whitespace().map(str::parse::<usize>);
    let (size, resident) = (pages.next()?.ok()?, pages.next()?.ok()?);
    Some(Memory { size: size.checked_mul(page)?, resident: resident.checked_mul(page)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_pages_in_bytes() {
        assert_eq!(parse("1000 200 30 4 0 5 0\n", 4096), Some(Memory { size: 4_096_000, resident: 819_200 }));
    }

    #[test]
    fn malformed_memory_is_unknown() {
        for text in ["", "1000", "x 1", "1 -1", "18446744073709551615 1"] {
            assert_eq!(parse(text, 4096), None, "{text}");
        }
    }
}

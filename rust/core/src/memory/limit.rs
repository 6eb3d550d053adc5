//! The memory limit of a process: requests that would get it killed are refused instead.
//!
//! Linux grants memory that it does not have, and kills a process that then uses it. Nothing here asks how much is free
//! at the moment: a request is refused only if it exceeds all memory and swap, or the limit of the process's control
//! group.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};

/// Requests of fewer bytes are granted without a check.
const LARGE: u64 = 1 << 26;

/// Fails if so many bytes, besides those that the process holds already, exceed its limit.
pub(crate) fn check(what: &'static str, elements: usize, bytes: u64, held: u64) -> Result<()> {
    if bytes < LARGE {
        return Ok(());
    }
    let bytes = bytes.saturating_add(held);
    match limit(Path::new("/")) {
        Some(limit) if bytes > limit => Err(Error::TooLarge { what, elements, bytes, limit }),
        _ => Ok(()),
    }
}

/// The most bytes that the process can have; none if the system does not say, as all but Linux.
fn limit(root: &Path) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let totals = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let total = |name: &str| {
        let line = totals.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let memory = groups.lines().filter_map(|group| group_limit(root, group)).chain(total("MemTotal:")).min();
    Some(memory?.saturating_add(total("SwapTotal:").unwrap_or(0)))
}

/// The smallest limit of a control group and of those that contain it. `group` is `number:controllers:path`, of which
/// version 2 has no controllers.
fn group_limit(root: &Path, group: &str) -> Option<u64> {
    let (controllers, path) = group.split_once(':')?.1.split_once(':')?;
    let (tree, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        "memory" => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return None,
    };
    let tree = root.join(tree);
    let group = tree.join(path.trim_start_matches('/'));
    let around = group.ancestors().take_while(|group| group.starts_with(&tree));
    around.filter_map(|group| fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()).min()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const TOTALS: &str = "MemTotal:       24684084 kB\nMemFree:  22101028 kB\nSwapTotal:          1024 kB\n";
    const SWAP: u64 = 1 << 20;

    fn limit_with(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        limit(root.path())
    }

    #[test]
    fn memory_and_swap_are_the_limit() {
        assert_eq!(limit_with(&[("proc/meminfo", TOTALS)]), Some(24_684_084 * 1024 + SWAP));
        assert_eq!(limit_with(&[("proc/meminfo", "MemTotal: 8 kB\n")]), Some(8192));
    }

    #[test]
    fn a_control_group_has_the_least_limit_of_those_around_it() {
        let totals = ("proc/meminfo", TOTALS);
        let groups = ("proc/self/cgroup", "0::/a/b\n");
        let (of_a, of_b) = ("sys/fs/cgroup/a/memory.max", "sys/fs/cgroup/a/b/memory.max");
        for (a, b, expected) in [("5000", "7000", 5000), ("max", "7000", 7000), ("7000", "max", 7000)] {
            let limit = limit_with(&[totals, groups, (of_a, a), (of_b, b)]);
            assert_eq!(limit, Some(expected + SWAP));
        }
        let unlimited = limit_with(&[totals, groups, (of_a, "max\n")]);
        assert_eq!(unlimited, Some(24_684_084 * 1024 + SWAP));
    }

    #[test]
    fn groups_of_version_1_and_of_a_container_count() {
        let totals = ("proc/meminfo", TOTALS);
        let groups = ("proc/self/cgroup", "9:cpu:/x\n4:memory:/x\n0::/\n");
        let file = "sys/fs/cgroup/memory/x/memory.limit_in_bytes";
        assert_eq!(limit_with(&[totals, groups, (file, "5000\n")]), Some(5000 + SWAP));
        // The path is the host's; the container sees its own group at the root.
        let own = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n");
        assert_eq!(limit_with(&[totals, groups, own]), Some(6000 + SWAP));
    }

    #[test]
    fn who_says_nothing_sets_no_limit() {
        assert_eq!(limit_with(&[]), None);
        assert_eq!(limit_with(&[("proc/meminfo", "MemTotal: many kB")]), None);
    }

    #[test]
    fn more_than_there_is_is_refused() {
        assert!(check("test", 1, LARGE, 0).is_ok());
        assert!(check("test", 1, LARGE, u64::MAX).is_err());
        assert!(check("test", 1, LARGE - 1, u64::MAX).is_ok());
        let error = check("test", 7, u64::MAX, 0).unwrap_err().to_string();
        assert!(
            error.starts_with("no memory for 7 numbers (test): 17179869184.0 GiB in all, and "),
            "{error}"
        );
    }
}

//! The nearest valid name to one that does not exist.

use strsim::damerau_levenshtein;

/// The name nearest to `found`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(
    found: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = squash(found);
    if wanted.is_empty() {
        return None;
    }
    let names: Vec<(&str, String)> = names.into_iter().map(|name| (name, squash(name))).collect();
    let distance = |squashed: &str| damerau_levenshtein(&wanted, squashed);
    let scored = names.iter().map(|(name, squashed)| (distance(squashed), squashed, name));
    let (distance, squashed, name) = scored.min_by_key(|(distance, ..)| *distance)?;
    let length = squashed.chars().count();
    let allowed = if length < 3 { 0 } else { 1.max(length / 3) };
    let begun = || only_begun_with(&wanted, &names);
    if distance <= allowed { Some(name) } else { begun() }
}

/// The one name that begins with `wanted`.
fn only_begun_with<'a>(wanted: &str, names: &[(&'a str, String)]) -> Option<&'a str> {
    const SHORT: usize = 4;
    let mut found = names.iter().filter(|(_, squashed)| squashed.starts_with(wanted));
    let (name, _) = found.next().filter(|_| wanted.chars().count() >= SHORT)?;
    found.next().is_none().then_some(name)
}

/// Lower-case letters and digits only: `Restart_After` is `restart-after`.
fn squash(name: &str) -> String {
    let squashed: String =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if squashed.is_empty() { name.to_owned() } else { squashed }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_find_their_names() {
        let names = ["restart-after", "crash", "BatchAppended", "b1"];
        assert_eq!(nearest("restartAfter", names), Some("restart-after"));
        assert_eq!(nearest("crahs", names), Some("crash"));
        assert_eq!(nearest("batch-apended", names), Some("BatchAppended"));
        assert_eq!(nearest("restart", names), Some("restart-after"));
        assert_eq!(nearest("b2", names), None);
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }
}

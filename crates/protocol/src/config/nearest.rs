//! The nearest valid name to one that does not exist.

use strsim::damerau_levenshtein;

/// Endings that people forget.
const ENDINGS: [&str; 5] = ["ms", "bytes", "enable", "class", "type"];

/// The key nearest to `key`, if it is near enough to be meant.
pub(crate) fn key(key: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let wanted = squash(key);
    if wanted.is_empty() {
        return None;
    }
    let names: Vec<_> = names.map(|name| (name, squash(name))).collect();
    let same = names.iter().find(|(_, squashed)| *squashed == wanted);
    let longer = |squashed: &str| {
        squashed.strip_prefix(wanted.as_str()).is_some_and(|rest| ENDINGS.contains(&rest))
    };
    let ended = || names.iter().find(|(_, squashed)| longer(squashed));
    let slip = || {
        let distance = |squashed: &str| damerau_levenshtein(&wanted, squashed);
        let near = names.iter().map(|(name, squashed)| (distance(squashed), squashed, name));
        let (distance, squashed, name) = near.min_by_key(|(distance, _, _)| *distance)?;
        (distance <= squashed.len() / 4).then_some(*name)
    };
    same.or_else(ended).map(|(name, _)| *name).or_else(slip).or_else(|| only_prefixed(&names, key))
}

/// The one name that begins with `key` and a dot.
fn only_prefixed(names: &[(&'static str, String)], key: &str) -> Option<&'static str> {
    let prefixed = |name: &str| name.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
    let mut found = names.iter().map(|(name, _)| *name).filter(|name| prefixed(name));
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The word nearest to `text`.
pub(crate) fn word(text: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let wanted = text.to_lowercase();
    let distance = |word: &str| damerau_levenshtein(&wanted, &word.to_lowercase());
    let (distance, word) = words.map(|word| (distance(word), word)).min_by_key(|(d, _)| *d)?;
    let allowed = if word.len() < 3 { 0 } else { 1.max(word.len() / 4) };
    (distance <= allowed).then_some(word)
}

/// The truth value that `text` stands for in other configuration languages, or nearly spells.
pub(crate) fn truth(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "yes" | "on" | "1" | "y" | "t" | "enabled" => Some("true"),
        "no" | "off" | "0" | "n" | "f" | "disabled" => Some("false"),
        _ => word(text, ["true", "false"].into_iter()),
    }
}

/// A number without the separators and units that Kafka does not read.
pub(crate) fn plain_number(text: &str) -> Option<String> {
    let bare = ["ms", "L", "l"].iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    let bare: String = bare.chars().filter(|c| !matches!(c, '_' | ',' | '\'' | ' ')).collect();
    (bare != text && !bare.is_empty()).then_some(bare)
}

/// Lower-case letters and digits only, so that `linger_ms` and `lingerMs` are `linger.ms`.
fn squash(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = [
        "linger.ms",
        "retry.backoff.ms",
        "retry.backoff.max.ms",
        "max.in.flight.requests.per.connection",
        "acks",
    ];

    fn near(text: &str) -> Option<&'static str> {
        key(text, NAMES.into_iter())
    }

    #[test]
    fn a_slip_finds_its_key() {
        assert_eq!(near("linger_ms"), Some("linger.ms"));
        assert_eq!(near("lingerMs"), Some("linger.ms"));
        assert_eq!(near("linger"), Some("linger.ms"));
        assert_eq!(near("retry.backof.ms"), Some("retry.backoff.ms"));
        assert_eq!(near("retry.backoff"), Some("retry.backoff.ms"));
        assert_eq!(near("retry.backoff.max"), Some("retry.backoff.max.ms"));
        assert_eq!(near("max.in.flight"), Some("max.in.flight.requests.per.connection"));
        assert_eq!(near("ack"), Some("acks"));
    }

    #[test]
    fn a_foreign_word_finds_none() {
        assert_eq!(near("my.interceptor.colour"), None);
        assert_eq!(near(""), None);
        assert_eq!(near("..."), None);
        assert_eq!(near("é"), None);
    }

    #[test]
    fn values_have_neighbours_too() {
        let codecs = || ["none", "gzip", "snappy", "lz4", "zstd"].into_iter();
        assert_eq!(word("GZIP", codecs()), Some("gzip"));
        assert_eq!(word("snapy", codecs()), Some("snappy"));
        assert_eq!(word("brotli", codecs()), None);
        assert_eq!(word("2", ["all", "-1", "0", "1"].into_iter()), None);
        assert_eq!(truth("yes"), Some("true"));
        assert_eq!(truth("flase"), Some("false"));
        assert_eq!(truth("maybe"), None);
        assert_eq!(plain_number("100_000"), Some("100000".to_owned()));
        assert_eq!(plain_number("500ms"), Some("500".to_owned()));
        assert_eq!(plain_number("five"), None);
    }
}

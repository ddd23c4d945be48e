//! Durations, sizes, rates and odds as texts with their units.

mod duration;
mod odds;
mod size;

pub(crate) use size::{Rate, Size};

/// A decimal number as a whole number and a power of ten: `1.5` is 15 and 10.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let unfinished = text.contains('.') && fraction.is_empty();
    if whole.is_empty() || unfinished || !plain(whole) || !plain(fraction) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    format!("{whole}{fraction}").parse().ok().map(|number| (number, scale))
}

/// A text as its number and what is behind it.
fn number_and_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..unit], text[unit..].trim())
}

/// A decimal number times a whole one, if that is whole.
fn times(text: &str, unit: u64) -> Option<u64> {
    let (number, scale) = decimal(text)?;
    let product = u128::from(number) * u128::from(unit);
    let scale = u128::from(scale);
    product.is_multiple_of(scale).then(|| u64::try_from(product / scale).ok()).flatten()
}

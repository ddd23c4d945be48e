//! Settings as somebody wrote them: keys and texts, in order, each with the place it stands.

/// Where a setting stands, for the caller to interpret: a line, an index, a node of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(pub u32);

/// One key and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key as it was written.
    pub key: String,
    /// The value as it was written.
    pub text: String,
    /// Where it stands.
    pub origin: Origin,
}

/// A list of settings in the order they were written. A key counts as set explicitly if it is in
/// the list, whatever its text; of several settings of one key the last counts, as in a map that
/// they are put into one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    list: Vec<Setting>,
}

impl Settings {
    /// No settings.
    pub const fn new() -> Self {
        Self { list: Vec::new() }
    }

    /// Adds a setting at the end.
    pub fn push(&mut self, key: impl Into<String>, text: impl Into<String>, origin: Origin) {
        self.list.push(Setting { key: key.into(), text: text.into(), origin });
    }

    /// The setting of `key` that counts.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.list.iter().rev().find(|setting| setting.key == key)
    }

    /// Every setting, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Setting> {
        self.list.iter()
    }

    /// How many settings there are, repeated keys included.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<K: Into<String>, T: Into<String>> FromIterator<(K, T)> for Settings {
    /// Settings whose origin is their index.
    fn from_iter<I: IntoIterator<Item = (K, T)>>(pairs: I) -> Self {
        let mut settings = Self::new();
        for (index, (key, text)) in (0..).zip(pairs) {
            settings.push(key, text, Origin(index));
        }
        settings
    }
}

impl<'a> IntoIterator for &'a Settings {
    type Item = &'a Setting;
    type IntoIter = std::slice::Iter<'a, Setting>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

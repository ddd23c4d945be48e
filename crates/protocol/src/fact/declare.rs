//! The macro that turns the list of facts into the enum, its kinds and their table.

/// Declares the enum of facts, its kinds, and the table of names, fields and documentation.
macro_rules! facts {
    ([] { $(
        $(#[doc = $doc:literal])+
        $name:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident: $type:ty, )*
        }
    )* }) => {
        /// Something that happened at one instant of a run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Fact {
            $(
                $(#[doc = $doc])+
                $name { $( $(#[doc = $field_doc])+ $field: $type, )* },
            )*
        }

        /// What kind of fact it is. The names are those of the facts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum FactKind {
            $( $(#[doc = $doc])+ $name, )*
        }

        impl FactKind {
            /// Every kind, in the order of the vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name, as it stands in scenario files and traces.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What the fact means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)* }
            }

            /// The fields in order.
            pub const fn fields(self) -> &'static [FieldSpec] {
                match self { $(Self::$name => &[$(FieldSpec {
                    name: stringify!($field),
                    doc: concat!($($field_doc),+),
                    field_type: <$type as FactField>::TYPE,
                }),*],)* }
            }
        }

        impl Fact {
            /// Its kind.
            #[inline]
            pub const fn kind(&self) -> FactKind {
                match self { $(Self::$name { .. } => FactKind::$name,)* }
            }

            /// Calls `visit` with the value of each field, in order.
            pub fn for_each_field(&self, mut visit: impl FnMut(&'static str, Value)) {
                match *self {
                    $(Self::$name { $($field),* } => {
                        $(visit(stringify!($field), FactField::to_value($field));)*
                    })*
                }
            }

            /// The value of the field at this position in [`FactKind::fields`].
            pub fn field(&self, index: usize) -> Option<Value> {
                match *self {
                    $(Self::$name { $($field),* } => {
                        let mut at = 0;
                        $(
                            if at == index { return Some(FactField::to_value($field)); }
                            at += 1;
                        )*
                        let _ = at;
                        None
                    })*
                }
            }

            /// Builds a fact of a kind from its fields: `value` is asked for each by name.
            /// The error is the name of the field that was missing or of another type.
            pub fn from_fields(
                kind: FactKind,
                mut value: impl FnMut(&'static str, FieldType) -> Option<Value>,
            ) -> Result<Self, &'static str> {
                match kind {
                    $(FactKind::$name => Ok(Self::$name {
                        $($field: value(stringify!($field), <$type as FactField>::TYPE)
                            .and_then(<$type as FactField>::from_value)
                            .ok_or(stringify!($field))?,)*
                    }),)*
                }
            }
        }
    };
}

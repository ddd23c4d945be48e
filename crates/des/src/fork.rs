//! Flat copies that reuse memory.

/// Implements [`Clone`] for a struct field by field, `clone_from` included.
///
/// `#[derive(Clone)]` leaves `clone_from` at its default, which drops and allocates; a run that is
/// reset or forked a million times wants the memory it already has. Naming all fields is checked
/// by the compiler: a forgotten one does not build.
///
/// ```
/// struct Shelf { books: Vec<String>, width: u32 }
/// inflight_des::clone_fields!(Shelf { books, width });
/// ```
///
/// Most runs have no use for some parts. `unless is_unused` names a method that says whether a part
/// is as it was made: between two such, nothing is copied.
#[macro_export]
macro_rules! clone_fields {
    ($name:ident { $($field:ident),* $(,)? } unless $is_unused:ident) => {
        impl Clone for $name {
            fn clone(&self) -> Self {
                let Self { $($field),* } = self;
                Self { $($field: Clone::clone($field)),* }
            }

            #[inline]
            fn clone_from(&mut self, source: &Self) {
                if source.$is_unused() && self.$is_unused() {
                    return;
                }
                let Self { $($field),* } = source;
                $(Clone::clone_from(&mut self.$field, $field);)*
            }
        }
    };
    ($name:ident $(< $($life:lifetime),* >)? { $($field:ident),* $(,)? }) => {
        impl $(< $($life),* >)? Clone for $name $(< $($life),* >)? {
            fn clone(&self) -> Self {
                let Self { $($field),* } = self;
                Self { $($field: Clone::clone($field)),* }
            }

            fn clone_from(&mut self, source: &Self) {
                let Self { $($field),* } = source;
                $(Clone::clone_from(&mut self.$field, $field);)*
            }
        }
    };
}

#[cfg(test)]
mod tests {
    #[derive(Debug, PartialEq)]
    struct Shelf {
        books: Vec<u64>,
        width: u32,
    }

    crate::clone_fields!(Shelf { books, width });

    #[test]
    fn the_memory_is_kept() {
        let source = Shelf { books: vec![1, 2, 3], width: 7 };
        let mut shelf = Shelf { books: Vec::with_capacity(100), width: 0 };
        let before = shelf.books.as_ptr();
        shelf.clone_from(&source);
        assert_eq!(shelf, source);
        assert_eq!(shelf.books.as_ptr(), before);
        assert_eq!(source.clone(), source);
    }

    #[derive(Debug, PartialEq)]
    struct Drawer {
        spoons: Vec<u64>,
    }

    crate::clone_fields!(Drawer { spoons } unless is_unused);

    impl Drawer {
        fn is_unused(&self) -> bool {
            self.spoons.is_empty()
        }
    }

    #[test]
    fn a_part_that_was_used_is_copied_and_emptied() {
        let (used, unused) = (Drawer { spoons: vec![1, 2] }, Drawer { spoons: Vec::new() });
        let mut drawer = unused.clone();
        drawer.clone_from(&used);
        assert_eq!(drawer, used);
        drawer.clone_from(&unused);
        assert_eq!(drawer, unused);
    }
}

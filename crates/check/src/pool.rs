//! Lists whose elements own memory that is worth keeping.

/// Makes a list a copy of another one. Elements that are too many are cleared and stay, with their
/// memory; a cleared element must mean the same as none.
pub(crate) fn copy<T: Clone>(to: &mut Vec<T>, from: &[T], clear: impl Fn(&mut T)) {
    let both = to.len().min(from.len());
    for (ours, theirs) in to.iter_mut().zip(from) {
        ours.clone_from(theirs);
    }
    to[both..].iter_mut().for_each(clear);
    to.extend_from_slice(&from[both..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_memory() {
        let mut list = vec![vec![1, 2, 3], vec![4, 5]];
        let before: Vec<_> = list.iter().map(Vec::as_ptr).collect();
        copy(&mut list, &[vec![7]], Vec::clear);
        assert_eq!(list, [vec![7], vec![]]);
        copy(&mut list, &[vec![8], vec![9, 9], vec![10]], Vec::clear);
        assert_eq!(list, [vec![8], vec![9, 9], vec![10]]);
        assert_eq!(list.iter().map(Vec::as_ptr).take(2).collect::<Vec<_>>(), before);
    }
}

// 進み具合: an opened サーバーの返答 stays open while the region around it refreshes.
const keep = window.Idiomorph.defaults.callbacks;
keep.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));

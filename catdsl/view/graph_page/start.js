const page = viewer();
const budget = data.explorer ? explorer(page, data.explorer) : null;
// Last: how much is folded follows from the room that is left.
page.view.begin();

const page = viewer();
const budget = data.explorer ? explorer(page, data.explorer) : null;

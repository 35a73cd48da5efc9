element.addEventListener("click", (event) => {
  const button = event.target.closest("button.rc-example");
  if (button) trigger("select", { question: button.textContent });
});

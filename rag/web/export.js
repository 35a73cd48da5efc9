// A report that arrives here is saved as a file.
watch("value", () => {
  const report = element.querySelector("pre[data-name]");
  if (!report) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([report.textContent], { type: "text/plain" }));
  link.download = report.dataset.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});

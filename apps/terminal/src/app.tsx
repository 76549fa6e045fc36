export function App() {
  return (
    <main class="screen">
      <h1>Cairn terminal</h1>
    </main>
  );
}

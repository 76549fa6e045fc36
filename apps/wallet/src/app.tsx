export function App() {
  return (
    <main class="screen">
      <h1>Cairn wallet</h1>
    </main>
  );
}
